#ifndef PRESENCE_SIP_GATEWAY_TRANSLATE_CAPABILITIES_H_
#define PRESENCE_SIP_GATEWAY_TRANSLATE_CAPABILITIES_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "presence/v1/gateway.pb.h"

namespace presence::sip {

// Methods we act on, for Allow (RFC 3261 20.5).
inline constexpr std::string_view kAllow = "PUBLISH, SUBSCRIBE, OPTIONS, CANCEL";

// What we can do, as the core's greeting tells it; the header values are joined once. A value.
class Capabilities {
 public:
  Capabilities() = default;
  // `product` goes into Server and User-Agent; empty leaves them out.
  explicit Capabilities(std::string product) : product_(std::move(product)) {}

  // Takes over what the core serves. The old lists are forgotten.
  void Learn(const v1::Welcome& welcome);

  // False until a core has greeted us: then nobody knows which events there are.
  bool are_events_known() const { return !events_.empty(); }
  bool HasEvent(std::string_view event) const {
    return events_.contains({event.data(), event.size()});
  }

  const std::string& allow_events() const { return allow_events_; }
  const std::string& accept() const { return accept_; }
  const std::string& product() const { return product_; }

 private:
  std::string product_;
  absl::flat_hash_set<std::string> events_;
  std::string allow_events_;
  std::string accept_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSLATE_CAPABILITIES_H_
