#ifndef PRESENCE_SIP_GATEWAY_TRANSACTION_RESPONSE_ROUTE_H_
#define PRESENCE_SIP_GATEWAY_TRANSACTION_RESPONSE_ROUTE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "sip-gateway/sofia/header_values.h"
#include "sip-gateway/transport/transport.h"

namespace presence::sip {

// Where the answer to a request from `source` with this top Via goes: RFC 3261 §18.2.2 and RFC 3581
// §4. Over TCP the request's own connection, and if that is closed one to its address and the
// sent-by port. Over UDP: maddr, if it is a unicast address; the source port, if rport was asked
// for; else the sent-by port.
NextHop ResponseRoute(const Source& source, const Via& top_via);

// What the server writes into the top Via (RFC 3261 §18.2.1, RFC 3581 §4), as ResponseSpec wants
// it.
struct ViaMark {
  std::string received;           // empty: none
  std::optional<uint16_t> rport;  // only if the Via asks for it
};
ViaMark MarkVia(const Source& source, const Via& top_via);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSACTION_RESPONSE_ROUTE_H_
