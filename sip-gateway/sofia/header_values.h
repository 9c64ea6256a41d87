#ifndef PRESENCE_SIP_GATEWAY_SOFIA_HEADER_VALUES_H_
#define PRESENCE_SIP_GATEWAY_SOFIA_HEADER_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "sip-gateway/sofia/grammar.h"

namespace presence::sip {

// Header values cut out of their raw text. Every view points into the text that was parsed.

// One Via (RFC 3261 20.42).
struct Via {
  std::string_view text;       // this one Via, as written
  std::string_view transport;  // "UDP", "TCP", ... as written
  std::string_view host;       // sent-by host; an IPv6 address without its brackets
  uint16_t port = 0;           // sent-by port; 0 when absent
  std::string_view branch;     // empty when absent (RFC 2543)
  bool has_rport = false;      // RFC 3581: the parameter is there, with or without a value
  uint16_t rport = 0;          // its value, 0 when it has none
  std::string_view received;   // empty when absent
  std::string_view maddr;      // empty when absent
  bool has_alias = false;      // RFC 5923

  // RFC 3261 8.1.1.7: the branch alone identifies the transaction.
  bool has_magic_cookie() const;
};

// The first Via of a field value; what follows its comma does not matter.
// Any protocol name and version will do: an answer to SIP/7.0 needs to find its way, too.
// Errors: INVALID_ARGUMENT   not a Via.
absl::StatusOr<Via> ParseTopVia(std::string_view field_value);

// A name-addr or addr-spec with the parameters that follow (From, To, Contact, Route, ...).
struct NameAddr {
  std::string_view text;        // all of it, as written
  std::string_view display;     // display name, quotes kept; empty when absent
  std::string_view uri;         // between the angle brackets, or the addr-spec
  std::string_view parameters;  // header parameters: `;tag=1`, or empty
  std::string_view tag;         // the tag parameter; empty when absent
  bool is_star = false;         // Contact: *
};

// Errors: INVALID_ARGUMENT   unbalanced quotes or brackets, nothing where the URI should be. The
// URI itself
//                            is not parsed.
absl::StatusOr<NameAddr> ParseNameAddr(std::string_view text);

// Event (RFC 6665 8.2.1).
struct EventField {
  std::string_view type;               // with its templates: "presence.winfo"
  std::optional<std::string_view> id;  // the id parameter
  std::string_view parameters;         // all of them: `;id=7;max-rate=1`, or empty
};

// Exactly one event-type with optional parameters, never a list.
absl::StatusOr<EventField> ParseEvent(std::string_view value);

// Expires: 1*DIGIT up to 2^32-1 (RFC 3261 20.19, 25.1); anything else is an error (P14).
absl::StatusOr<uint32_t> ParseExpires(std::string_view value);

// SIP-If-Match: exactly one token (RFC 3903 12, P08).
absl::StatusOr<std::string_view> ParseSipIfMatch(std::string_view value);

// One media range of Accept, or a Content-Type.
struct MediaType {
  std::string type;  // "application/pidf+xml", or with `*`: lower case, without white space
  std::string_view parameters;  // `;q=0.5`, or empty
};
absl::StatusOr<MediaType> ParseMediaType(std::string_view text);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SOFIA_HEADER_VALUES_H_
