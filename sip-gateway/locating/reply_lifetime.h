#ifndef PRESENCE_SIP_GATEWAY_LOCATING_REPLY_LIFETIME_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_REPLY_LIFETIME_H_

#include <cstdint>
#include <optional>
#include <span>

#include "absl/time/time.h"

namespace presence::sip {

// How long a DNS message may be believed. c-ares 1.18 tells the TTL of A and AAAA records only, so
// this walks over the records of a message, and looks at nothing else in them.
struct ReplyLifetime {
  // Smallest TTL of the answer section, CNAMEs on the way included; nothing when it is empty.
  std::optional<absl::Duration> positive;
  // RFC 2308 §5: the smaller of TTL and MINIMUM of the SOA in the authority section; nothing
  // without.
  std::optional<absl::Duration> negative;

  friend bool operator==(const ReplyLifetime&, const ReplyLifetime&) = default;
};

// Nothing for a message that is cut short or malformed before the end of its authority section.
std::optional<ReplyLifetime> ReadReplyLifetime(std::span<const uint8_t> message);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_REPLY_LIFETIME_H_
