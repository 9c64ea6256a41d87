#ifndef PRESENCE_SIP_GATEWAY_SERVER_COUNTERS_H_
#define PRESENCE_SIP_GATEWAY_SERVER_COUNTERS_H_

#include <string>
#include <vector>

#include "sip-gateway/server/gateway.h"
#include "sip-gateway/transport/socket_transport.h"

namespace presence::sip {

// All counters for people: a line for each part, `link streams_opened=1 ...`.
std::vector<std::string> CounterLines(const GatewayStats& gateway, const TransportStats& transport);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SERVER_COUNTERS_H_
