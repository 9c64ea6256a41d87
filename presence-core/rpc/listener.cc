#include "presence-core/rpc/listener.h"

#include <grpcpp/health_check_service_interface.h>

#include <utility>

#include "grpc/health/v1/health.pb.h"

namespace presence {
namespace {

constexpr int kMaxMessageBytes = 256 * 1024;
constexpr int kMaxMetadataBytes = 16 * 1024;
constexpr int kMaxStreams = 128;
constexpr int kKeepaliveMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
constexpr int kMinPingIntervalMs = 5'000;

}  // namespace

absl::StatusOr<Listener> Listen(grpc::ServerBuilder& builder,
                                const std::vector<std::string>& listen) {
  // The health service that gRPC brings does not register its own descriptor, and reflection then
  // fails for the whole server: naming the generated type links it in.
  static_cast<void>(grpc::health::v1::HealthCheckRequest::descriptor());
  grpc::EnableDefaultHealthCheckService(true);
  std::vector<int> ports(listen.size(), 0);
  for (size_t i = 0; i < listen.size(); ++i) {
    builder.AddListeningPort(listen[i], grpc::InsecureServerCredentials(), &ports[i]);
  }
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreams);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kMinPingIntervalMs);
  Listener listener;
  listener.server = builder.BuildAndStart();
  for (size_t i = 0; i < listen.size(); ++i) {
    if (listener.server == nullptr || ports[i] == 0) {
      return absl::UnavailableError("cannot listen on " + listen[i] +
                                    "; is another server there? --listen names another address");
    }
    std::string address = listen[i];
    if (!address.starts_with("unix:")) {
      address = address.substr(0, address.rfind(':') + 1) + std::to_string(ports[i]);
    }
    listener.addresses.push_back(std::move(address));
  }
  return listener;
}

}  // namespace presence
