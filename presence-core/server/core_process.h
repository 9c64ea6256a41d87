#ifndef PRESENCE_CORE_SERVER_CORE_PROCESS_H_
#define PRESENCE_CORE_SERVER_CORE_PROCESS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "presence-core/server/storage.h"
#include "presence/v1/core_config.pb.h"

namespace presence {

// A whole presence-core: builds every room from one configuration, in order, and takes them apart
// again. The only place that knows them all.
class CoreProcess {
 public:
  struct Identity {
    std::string name;  // as gateways see it
    std::string version;
  };

  // Lets time pass; false when the process is to stop instead of waiting for its turn.
  using Wait = std::function<bool(absl::Duration)>;

  // Serves from the moment it returns. While another core owns the state it waits, and hands calls
  // on to that one; while the database fails to give it back, it tries again. Errors:
  // InvalidArgument   the configuration contradicts what the event packages say; Unavailable   an
  // address cannot be listened on, or there was no database to begin with; Cancelled   `wait` said
  // so.
  static absl::StatusOr<std::unique_ptr<CoreProcess>> Start(const v1::CoreConfig& config,
                                                            const Identity& identity, Wait wait);
  virtual ~CoreProcess() = default;

  // What it listens on, with actual ports: "127.0.0.1:7460", "unix:/run/presence/core.sock".
  virtual const std::vector<std::string>& grpc_addresses() const = 0;
  // Where /live, /ready, /metrics and /version are; empty without.
  virtual const std::string& ops_address() const = 0;
  virtual std::vector<std::string> event_names() const = 0;
  // Where state is kept, for people.
  virtual std::string storage() const = 0;

  // Stops taking requests, lets those under way finish within `patience`, and ends every stream.
  // For the thread that called Start; once.
  virtual void Stop(absl::Duration patience) = 0;
};

}  // namespace presence

#endif  // PRESENCE_CORE_SERVER_CORE_PROCESS_H_
