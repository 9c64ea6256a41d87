#ifndef PRESENCE_CORE_TELEMETRY_OPS_SERVER_H_
#define PRESENCE_CORE_TELEMETRY_OPS_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "presence-core/engine/engine.h"

namespace presence {

// HTTP for operators: /live (the process answers), /ready (it takes requests), /metrics (Prometheus
// text). For trusted networks: it has no authentication.
class OpsServer {
 public:
  // Ready from the start. `engine` must outlive the server. Errors: Unavailable   the address
  // cannot be listened on.
  static absl::StatusOr<std::unique_ptr<OpsServer>> Start(const std::string& listen,
                                                          const Engine& engine);
  virtual ~OpsServer() = default;

  // With the actual port.
  virtual const std::string& address() const = 0;
  // What /ready says: 200, or 503 while the process stops.
  virtual void SetReady(bool is_ready) = 0;
};

}  // namespace presence

#endif  // PRESENCE_CORE_TELEMETRY_OPS_SERVER_H_
