#ifndef PRESENCE_SIP_GATEWAY_SERVER_GATEWAY_METRICS_H_
#define PRESENCE_SIP_GATEWAY_SERVER_GATEWAY_METRICS_H_

#include <string>

#include "sip-gateway/server/gateway.h"
#include "sip-gateway/transport/socket_transport.h"

namespace presence::sip {

// Every metric of a gateway, in the text format of Prometheus.
std::string GatewayMetrics(const GatewayStats& gateway, const TransportStats& transport);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SERVER_GATEWAY_METRICS_H_
