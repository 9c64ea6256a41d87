#include "presence-core/rpc/rpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <utility>

#include "grpc/health/v1/health.pb.h"
#include "presence-core/rpc/admin_service.h"
#include "presence-core/rpc/gateway_stream.h"
#include "presence-core/rpc/presence_service.h"
#include "presence-core/rpc/unserved_services.h"

namespace presence {
namespace {

constexpr int kMaxMessageBytes = 256 * 1024;
constexpr int kMaxMetadataBytes = 16 * 1024;
constexpr int kMaxStreams = 128;
constexpr int kKeepaliveMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
constexpr int kMinPingIntervalMs = 5'000;

class GrpcServer final : public RpcServer {
 public:
  GrpcServer(Engine& engine, Executor& executor, const Clock& clock, Random& random,
             Options options)
      : options_(std::move(options)),
        presence_(engine, executor, clock, random, options_.max_watch_queue),
        gateways_(engine, executor, clock, options_.core_name),
        admin_(engine, clock, options_.info) {}

  ~GrpcServer() override { Stop(absl::ZeroDuration()); }

  absl::Status Listen() {
    // The health service that gRPC brings does not register its own descriptor, and reflection then
    // fails for the whole server: naming the generated type links it in.
    static_cast<void>(grpc::health::v1::HealthCheckRequest::descriptor());
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    std::vector<int> ports(options_.listen.size(), 0);
    for (size_t i = 0; i < options_.listen.size(); ++i) {
      builder.AddListeningPort(options_.listen[i], grpc::InsecureServerCredentials(), &ports[i]);
    }
    builder.RegisterService(&presence_);
    builder.RegisterService(&gateways_);
    builder.RegisterService(&admin_);
    builder.RegisterService(&rules_);
    builder.RegisterService(&hooks_);
    builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreams);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                               kMinPingIntervalMs);
    server_ = builder.BuildAndStart();
    for (size_t i = 0; i < options_.listen.size(); ++i) {
      if (server_ != nullptr && ports[i] != 0) continue;
      return absl::UnavailableError("cannot listen on " + options_.listen[i] +
                                    "; is another server there? --listen names another address");
    }
    for (size_t i = 0; i < options_.listen.size(); ++i) {
      std::string address = options_.listen[i];
      if (!address.starts_with("unix:")) {
        address = address.substr(0, address.rfind(':') + 1) + std::to_string(ports[i]);
      }
      addresses_.push_back(std::move(address));
    }
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
  if (absl::Status status = server->Listen(); !status.ok()) return status;
  return server;
}

}  // namespace presence
