#include "presence-core/rpc/rpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <utility>

#include "presence-core/rpc/admin_service.h"
#include "presence-core/rpc/gateway_stream.h"
#include "presence-core/rpc/listener.h"
#include "presence-core/rpc/presence_service.h"
#include "presence-core/rpc/rules_service.h"
#include "presence-core/rpc/unserved_services.h"

namespace presence {
namespace {

class GrpcServer final : public RpcServer {
 public:
  GrpcServer(Engine& engine, Executor& executor, const Clock& clock, Random& random,
             Options options)
      : options_(std::move(options)),
        presence_(engine, executor, clock, random, options_.max_watch_queue, options_.is_owner),
        gateways_(engine, executor, clock, options_.core_name, options_.is_owner, options_.claims),
        admin_(engine, clock, options_.is_owner, options_.info),
        rules_(engine, clock, options_.is_owner) {}

  ~GrpcServer() override { Stop(absl::ZeroDuration()); }

  absl::Status Start() {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    builder.RegisterService(&presence_);
    builder.RegisterService(&gateways_);
    builder.RegisterService(&admin_);
    builder.RegisterService(&rules_);
    builder.RegisterService(&hooks_);
    auto listener = Listen(builder, options_.listen);
    if (!listener.ok()) return listener.status();
    server_ = std::move(listener->server);
    addresses_ = std::move(listener->addresses);
    gateways_.WatchOwnership();
    server_->GetHealthCheckService()->SetServingStatus(true);
    return absl::OkStatus();
  }

  const std::vector<std::string>& addresses() const override { return addresses_; }

  void Stop(absl::Duration patience) override {
    if (server_ == nullptr) return;
    server_->GetHealthCheckService()->SetServingStatus(false);
    gateways_.Drain();
    presence_.Drain();
    server_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(patience));
    server_->Wait();
    server_.reset();
  }

 private:
  const Options options_;
  PresenceService presence_;
  GatewayService gateways_;
  AdminService admin_;
  RulesService rules_;
  HookService hooks_;
  std::vector<std::string> addresses_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

std::string RpcServer::LibraryVersion() { return grpc::Version(); }

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(Engine& engine, Executor& executor,
                                                            const Clock& clock, Random& random,
                                                            Options options) {
  auto server = std::make_unique<GrpcServer>(engine, executor, clock, random, std::move(options));
  if (absl::Status status = server->Start(); !status.ok()) return status;
  return server;
}

}  // namespace presence
