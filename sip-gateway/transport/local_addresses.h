#ifndef PRESENCE_SIP_GATEWAY_TRANSPORT_LOCAL_ADDRESSES_H_
#define PRESENCE_SIP_GATEWAY_TRANSPORT_LOCAL_ADDRESSES_H_

#include <vector>

#include "absl/types/span.h"
#include "sip-gateway/transport/address.h"

namespace presence::sip {

// The addresses of this host's interfaces that are up, in the system's order.
std::vector<IpAddress> LocalAddresses();

// What a listener on a wildcard tells peers its address is: the first interface that others can
// reach, else loopback.
IpAddress ReachableAddress(absl::Span<const IpAddress> local, bool is_v6);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSPORT_LOCAL_ADDRESSES_H_
