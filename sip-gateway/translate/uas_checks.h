#ifndef PRESENCE_SIP_GATEWAY_TRANSLATE_UAS_CHECKS_H_
#define PRESENCE_SIP_GATEWAY_TRANSLATE_UAS_CHECKS_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "sip-gateway/sofia/message.h"
#include "sip-gateway/translate/answer.h"
#include "sip-gateway/translate/capabilities.h"

namespace presence::sip {

// The domains whose presentities are served here. A value; constant after construction.
class ServedDomains {
 public:
  // With no domain every one is served: that is `dev`.
  ServedDomains() = default;
  explicit ServedDomains(absl::Span<const std::string> domains);

  // RFC 3261 19.1.4: hosts compare without case.
  bool Serves(std::string_view host) const;

 private:
  absl::flat_hash_set<std::string> domains_;
};

// What the checks need to know of this gateway. References outlive every use.
struct UasPolicy {
  const ServedDomains& domains;
  // Hosts that mean the gateway itself, in lower case: a keep-alive OPTIONS is often sent to an
  // address.
  const absl::flat_hash_set<std::string>& own_hosts;
  const Capabilities& capabilities;
};

// Everything a UAS owes a request before its method's own meaning, in the order of RFC 3261 8.2 and
// then of RFC 3903 6 or RFC 6665 4.2.1, so that of two faults the first is answered (P03). Returns
// the refusal, or nothing: then the request is an OPTIONS to be answered kOptions, or a PUBLISH or
// SUBSCRIBE for the core. ACK, CANCEL and merged requests are the transactions' business and do not
// come here.
//
// What only the core knows (entity-tags, lifetimes, dialogs, documents) is checked there, after all
// this.
std::optional<Answer> CheckRequest(const Message& request, const UasPolicy& policy);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSLATE_UAS_CHECKS_H_
