#ifndef PRESENCE_CORE_RPC_LISTENER_H_
#define PRESENCE_CORE_RPC_LISTENER_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace presence {

// A gRPC server that listens, and where.
struct Listener {
  std::unique_ptr<grpc::Server> server;
  std::vector<std::string> addresses;  // with actual ports, in the order asked for
};

// Starts what `builder` has got, with the caps on messages, metadata, streams and pings that every
// server of a core has, and with the health service of gRPC (grpc.health.v1). `listen` is of
// "127.0.0.1:7460", "[::1]:0", "unix:/run/presence/core.sock". Errors: Unavailable   an address
// cannot be listened on; it is named.
absl::StatusOr<Listener> Listen(grpc::ServerBuilder& builder,
                                const std::vector<std::string>& listen);

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_LISTENER_H_
