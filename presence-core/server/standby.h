#ifndef PRESENCE_CORE_SERVER_STANDBY_H_
#define PRESENCE_CORE_SERVER_STANDBY_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "presence-core/rpc/standby_server.h"
#include "presence/v1/core_config.pb.h"
#include "telemetry/ops_server.h"

namespace presence {

// Where the configuration wants gRPC to be served.
std::vector<std::string> GrpcAddresses(const v1::CoreConfig& config);

// What a process shows of itself while another one owns the state: unary calls go on to the owner,
// /live is fine, /ready says for whom it waits. For one thread.
class Standby {
 public:
  Standby(const v1::CoreConfig& config, std::string version)
      : config_(config), version_(std::move(version)) {}

  // Opens the addresses of the configuration at the first call. Errors: Unavailable   an address
  // cannot be listened on.
  absl::Status Follow(const StandbyServer::Owner& owner);

  // Nobody owns the state at the moment.
  void ForgetOwner();

  // Frees the addresses, and puts them into `config` with their actual ports: whoever has found
  // this process finds it again. Nothing when Follow() was never called.
  void Stop(v1::CoreConfig& config);

 private:
  const v1::CoreConfig& config_;
  const std::string version_;
  StandbyServer::Owner owner_;
  std::unique_ptr<StandbyServer> server_;
  std::unique_ptr<OpsServer> ops_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_SERVER_STANDBY_H_
