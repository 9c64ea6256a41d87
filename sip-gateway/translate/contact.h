#ifndef PRESENCE_SIP_GATEWAY_TRANSLATE_CONTACT_H_
#define PRESENCE_SIP_GATEWAY_TRANSLATE_CONTACT_H_

#include <string>
#include <string_view>

namespace presence::sip {

// Our Contact URI on a listener. `host_port` is what peers are told, IPv6 in brackets. A UDP
// listener has no transport parameter; any other has it exactly once (N09). `is_sips`: RFC
// 3261 12.1.1 wants a sips Contact for a sips Request-URI.
std::string ContactUri(std::string_view host_port, std::string_view transport, bool is_sips);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSLATE_CONTACT_H_
