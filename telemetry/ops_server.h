#ifndef PRESENCE_TELEMETRY_OPS_SERVER_H_
#define PRESENCE_TELEMETRY_OPS_SERVER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace presence {

// What the pages say, asked for anew with each request, from any of the server's threads.
struct OpsPages {
  // Why no request is taken now, in a few words; nothing: they are taken.
  std::function<std::optional<std::string>()> not_ready;
  // The text of /metrics; nothing: it could not be had in time.
  std::function<std::optional<std::string>()> metrics;
  // Name and version of the program.
  std::string version;
};

// HTTP for operators: /live (the process answers), /ready (it takes requests), /metrics (Prometheus
// text), /version. For trusted networks: it has no authentication.
class OpsServer {
 public:
  // What the pages use must outlive the server. Errors: Unavailable   the address cannot be
  // listened on.
  static absl::StatusOr<std::unique_ptr<OpsServer>> Start(const std::string& listen,
                                                          OpsPages pages);
  virtual ~OpsServer() = default;

  // With the actual port.
  virtual const std::string& address() const = 0;
};

}  // namespace presence

#endif  // PRESENCE_TELEMETRY_OPS_SERVER_H_
