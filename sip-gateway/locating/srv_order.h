#ifndef PRESENCE_SIP_GATEWAY_LOCATING_SRV_ORDER_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_SRV_ORDER_H_

#include <vector>

#include "runtime/random.h"
#include "sip-gateway/locating/dns_resolver.h"

namespace presence::sip {

// The order in which to try the hosts of one SRV set: by priority, and within one by the weighted
// draw of RFC 2782. Each call draws anew, which is what spreads the load.
std::vector<SrvRecord> OrderSrv(std::vector<SrvRecord> records, Random& random);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_SRV_ORDER_H_
