#include "presence-core/rpc/standby_server.h"

#include <fmt/format.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "presence-core/model/error.h"
#include "presence-core/rpc/listener.h"
#include "presence-core/rpc/status_map.h"
#include "presence/v1/admin.pb.h"
#include "presence/v1/gateway.pb.h"
#include "presence/v1/hooks.pb.h"
#include "presence/v1/presence.pb.h"
#include "presence/v1/rules.pb.h"

namespace presence {
namespace {

// Marks a call that one core has handed on to another.
constexpr char kHandedOn[] = "presence-handed-on";
constexpr absl::Duration kRetryAfter = absl::Seconds(1);
// For a call without a deadline, so that none waits for ever for an owner that has stopped.
constexpr std::chrono::seconds kLongest(10);
// For calls under way when it stops: their owner has died, and gRPC says so soon.
constexpr std::chrono::milliseconds kPatience(500);

// A method of the contract by "/presence.v1.PresenceService/Publish"; null when there is none.
const google::protobuf::MethodDescriptor* FindMethod(std::string_view path) {
  for (const auto* file :
       {v1::PublishRequest::descriptor()->file(), v1::CleanupRequest::descriptor()->file(),
        v1::ConnectRequest::descriptor()->file(), v1::RulesDocument::descriptor()->file(),
        v1::SubscriptionAttributes::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      const auto* service = file->service(i);
      const std::string prefix = fmt::format("/{}/", service->full_name());
      if (!path.starts_with(prefix)) continue;
      return service->FindMethodByName(std::string(path.substr(prefix.size())));
    }
  }
  return nullptr;
}

// A connection to an owner, kept while calls use it.
struct Route {
  explicit Route(StandbyServer::Owner whose)
      : owner(std::move(whose)),
        stub(grpc::CreateChannel(owner.address, grpc::InsecureChannelCredentials())) {}
  const StandbyServer::Owner owner;
  grpc::GenericStub stub;
};

// One unary call on its way. Deletes itself when both sides are done with it.
class HandedOnCall final : public grpc::ServerGenericBidiReactor {
 public:
  HandedOnCall(const grpc::GenericCallbackServerContext& caller, std::shared_ptr<Route> route)
      : method_(caller.method()), route_(std::move(route)) {
    for (const auto& [name, value] : caller.client_metadata()) {
      const std::string key(name.data(), name.size());
      if (key.starts_with(':') || key.starts_with("grpc-") || key == "user-agent") continue;
      context_.AddMetadata(key, std::string(value.data(), value.size()));
    }
    context_.AddMetadata(kHandedOn, "1");
    context_.set_deadline(std::min(caller.deadline(), std::chrono::system_clock::now() + kLongest));
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status::CANCELLED);
      return;
    }
    route_->stub.UnaryCall(&context_, method_, {}, &request_, &response_,
                           [this](const grpc::Status& status) { Return(status); });
  }

  void OnCancel() override { context_.TryCancel(); }
  void OnDone() override { delete this; }

 private:
  void Return(const grpc::Status& status) {
    if (status.ok()) {
      StartWriteAndFinish(&response_, {}, status);
      return;
    }
    // What the owner says has details; without, gRPC says that there is no owner.
    const bool is_of_owner =
        !status.error_details().empty() || status.error_code() != grpc::StatusCode::UNAVAILABLE;
    Finish(is_of_owner
               ? status
               : ToGrpc(CoreUnreachable(fmt::format("{} at {} owns the state and does not "
                                                    "answer; this core waits for its turn",
                                                    route_->owner.name, route_->owner.address),
                                        kRetryAfter)));
  }

  const std::string method_;
  const std::shared_ptr<Route> route_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

class RefusedCall final : public grpc::ServerGenericBidiReactor {
 public:
  explicit RefusedCall(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

class Forwarder final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    const auto* method = FindMethod(context->method());
    if (method == nullptr) {
      return new RefusedCall({grpc::StatusCode::UNIMPLEMENTED, "no such method"});
    }
    std::shared_ptr<Route> route;
    {
      absl::MutexLock lock(&mu_);
      route = route_;
    }
    if (route == nullptr) return Refuse("no core owns the state at the moment");
    if (method->client_streaming() || method->server_streaming()) {
      return Refuse(
          fmt::format("this core waits for its turn; {} at {} owns the state, streams go there",
                      route->owner.name, route->owner.address));
    }
    if (context->client_metadata().count(kHandedOn) != 0) {
      return Refuse(fmt::format("this core waits for its turn, too; {} at {} owns the state",
                                route->owner.name, route->owner.address));
    }
    return new HandedOnCall(*context, std::move(route));
  }

  void Follow(StandbyServer::Owner owner) {
    std::shared_ptr<Route> route;
    absl::MutexLock lock(&mu_);
    if (route_ != nullptr && route_->owner == owner) return;
    if (!owner.address.empty()) route = std::make_shared<Route>(std::move(owner));
    route_ = std::move(route);
  }

 private:
  static RefusedCall* Refuse(std::string_view why) {
    return new RefusedCall(ToGrpc(CoreUnreachable(why, kRetryAfter)));
  }

  absl::Mutex mu_;
  std::shared_ptr<Route> route_ ABSL_GUARDED_BY(mu_);
};

class GrpcStandbyServer final : public StandbyServer {
 public:
  ~GrpcStandbyServer() override { Stop(); }

  absl::Status Start(const std::vector<std::string>& listen) {
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(&forwarder_);
    auto listener = Listen(builder, listen);
    if (!listener.ok()) return listener.status();
    server_ = std::move(listener->server);
    addresses_ = std::move(listener->addresses);
    server_->GetHealthCheckService()->SetServingStatus(false);
    return absl::OkStatus();
  }

  void Follow(Owner owner) override { forwarder_.Follow(std::move(owner)); }
  const std::vector<std::string>& addresses() const override { return addresses_; }

  void Stop() override {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now() + kPatience);
    server_->Wait();
    server_.reset();
  }

 private:
  Forwarder forwarder_;
  std::vector<std::string> addresses_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StandbyServer>> StandbyServer::Start(
    const std::vector<std::string>& listen) {
  auto server = std::make_unique<GrpcStandbyServer>();
  if (absl::Status status = server->Start(listen); !status.ok()) return status;
  return server;
}

}  // namespace presence
