#ifndef PRESENCE_SIP_GATEWAY_SERVER_SETTINGS_H_
#define PRESENCE_SIP_GATEWAY_SERVER_SETTINGS_H_

#include <string>

#include "absl/status/statusor.h"
#include "presence/v1/gateway_config.pb.h"
#include "sip-gateway/locating/location_procedure.h"
#include "sip-gateway/server/gateway.h"
#include "sip-gateway/transport/socket_transport.h"

namespace presence::sip {

// What the configuration leaves to the machine it runs on.
struct HostFacts {
  std::string host_name;
  std::string version;
};

// The gateway's settings, from a configuration that the loader found sound.
// Errors: INVALID_ARGUMENT   names the key and the value, and what is wrong with it.
absl::StatusOr<GatewaySettings> GatewaySettingsOf(const v1::GatewayConfig& config,
                                                  const HostFacts& host);

// The sockets' configuration; the same errors.
absl::StatusOr<TransportConfig> TransportConfigOf(const v1::GatewayConfig& config);

// What RFC 3263 may choose from: the protocols and address families there is a listener for.
LocationRules LocationRulesOf(const TransportConfig& transport);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SERVER_SETTINGS_H_
