#ifndef PRESENCE_SIP_GATEWAY_LOCATING_LOCATION_PROCEDURE_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_LOCATION_PROCEDURE_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "runtime/random.h"
#include "sip-gateway/locating/dns_resolver.h"
#include "sip-gateway/locating/locator.h"

namespace presence::sip {

// What this gateway can send over, and how much of somebody else's DNS it is ready to follow.
struct LocationRules {
  // Transports with a listener, the preferred one first. The order counts only where RFC 3263 §4.1
  // leaves the choice to the client: a domain with SRV but no NAPTR records.
  std::vector<TargetProtocol> protocols = {TargetProtocol::kUdp, TargetProtocol::kTcp};
  bool has_ipv4 = true;
  bool has_ipv6 = true;
  // Which family to try first at a host that has both. RFC 7984 has dual-stack clients follow RFC
  // 6724, whose default table puts IPv6 first.
  bool is_ipv6_first = true;

  // Bounds on what one lookup takes from the DNS. Records beyond them are not used, and what is cut
  // is what would have been tried last.
  size_t max_naptr_records = 8;
  size_t max_srv_records = 16;
  size_t max_addresses = 8;
  size_t max_questions = 64;
  size_t max_targets = 32;
};

using DnsReplyPtr = std::shared_ptr<const DnsReply>;
using DnsFacts = absl::flat_hash_map<DnsQuestion, DnsReplyPtr>;

// How far RFC 3263 gets with the facts at hand.
struct LocationStep {
  std::vector<DnsQuestion> missing;  // empty: `result` is final
  LocateResult result;
};

// RFC 3263 §4.1 and §4.2 as a function without waiting: it works through the procedure as far as
// `facts` carries and names the questions it is stuck on. Whoever calls it asks them, adds the
// replies and calls again, so no half-done lookup has a state of its own. `random` is drawn from
// only for a final result.
//
// With `is_last_try` nothing is missing: a question without a fact counts as one the DNS failed to
// answer.
LocationStep LocateFromFacts(const Destination& destination, const LocationRules& rules,
                             const DnsFacts& facts, Random& random, bool is_last_try = false);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_LOCATION_PROCEDURE_H_
