#ifndef PRESENCE_CORE_RPC_RPC_SERVER_H_
#define PRESENCE_CORE_RPC_RPC_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "presence-core/engine/engine.h"
#include "presence-core/rpc/ownership.h"
#include "presence/v1/admin.pb.h"
#include "runtime/clock.h"
#include "runtime/executor.h"
#include "runtime/random.h"

namespace presence {

// The gRPC server of a core: all services of the contract, health (grpc.health.v1) and reflection.
// Debian's gRPC 1.51 lacks the fixes of several denial-of-service faults, so its listener is for
// trusted peers; the caps on message, metadata, streams and keep-alive are set all the same.
class RpcServer {
 public:
  struct Options {
    // "127.0.0.1:7460", "[::1]:0", "unix:/run/presence/core.sock".
    std::vector<std::string> listen;
    std::string core_name;
    size_t max_watch_queue = 1024;
    // While it is false nothing is told that the database has not confirmed: streams to gateways
    // and watchers end, reads are refused with STORAGE_UNAVAILABLE.
    IsOwner is_owner = [] { return true; };
    // None where this core is the only one that serves.
    GatewayClaims claims;
    v1::ServerInfo info;
  };

  // Serves from the moment it returns. `executor` takes the frames of gateways and the timers of
  // streams; it must outlive the server. Errors: Unavailable   an address cannot be listened on; it
  // is named.
  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(Engine& engine, Executor& executor,
                                                          const Clock& clock, Random& random,
                                                          Options options);
  virtual ~RpcServer() = default;

  // Of the gRPC library, such as "1.51.1".
  static std::string LibraryVersion();

  // The addresses with their actual ports, in the order of Options::listen.
  virtual const std::vector<std::string>& addresses() const = 0;

  // Says NOT_SERVING, ends streams with DRAINING, lets unary calls finish within `patience`, and
  // stops.
  virtual void Stop(absl::Duration patience) = 0;
};

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_RPC_SERVER_H_
