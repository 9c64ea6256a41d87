#ifndef PRESENCE_SIP_GATEWAY_SERVER_WIRING_H_
#define PRESENCE_SIP_GATEWAY_SERVER_WIRING_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "presence/v1/gateway_config.pb.h"
#include "sip-gateway/server/settings.h"

namespace presence::sip {

// The gateway of one process: builds every part from the configuration and runs them on the calling
// thread. Owns sockets, event loop, DNS client and the stream to the core.
class GatewayProcess {
 public:
  // Opens all listeners; the core need not be there yet.
  // Errors: INVALID_ARGUMENT   a value of the configuration cannot be used; names it.
  //         UNAVAILABLE        a listener cannot be opened, that of ops_listen included; names it.
  static absl::StatusOr<std::unique_ptr<GatewayProcess>> Open(const v1::GatewayConfig& config,
                                                              const HostFacts& host);
  ~GatewayProcess();
  GatewayProcess(const GatewayProcess&) = delete;
  GatewayProcess& operator=(const GatewayProcess&) = delete;

  // "udp:127.0.0.1:5060", one a listener, with the ports in use.
  std::vector<std::string> ListenerNames() const;

  // Where /live, /ready, /metrics and /version are; empty without.
  std::string OpsAddress() const;

  // Serves until Stop() has been called and what was under way is finished, or the time for that is
  // over.
  void Run();

  // The first call begins an orderly end, a second one ends at once. From any thread.
  void Stop();

  // Logs all counters. From any thread.
  void LogCounters();

 private:
  struct Parts;
  explicit GatewayProcess(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SERVER_WIRING_H_
