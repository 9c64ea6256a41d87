#ifndef PRESENCE_SIP_GATEWAY_SOFIA_PRINTER_H_
#define PRESENCE_SIP_GATEWAY_SOFIA_PRINTER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sip-gateway/sofia/message.h"
#include "sip-gateway/sofia/prescan.h"

namespace presence::sip {

// Builds the bytes of messages. Everything here is pure and safe to call from any thread.

struct Header {
  std::string_view name;
  std::string_view value;
};

// The usual reason phrase of a status code; of an unknown code the one of its class (RFC 3261 21).
std::string_view StandardPhrase(int status);

struct ResponseSpec {
  int status = 200;
  std::string_view phrase;  // empty: the standard one
  std::string_view to_tag;  // added to To if that has no tag yet; empty: To stays as it came
  // RFC 3261 18.2.1, RFC 3581 4: what to write into the top Via. Empty and nullopt leave it as it
  // came; a value that was already there is replaced.
  std::string_view via_received;
  std::optional<uint16_t> via_rport;  // only written if the Via has an rport parameter
  bool copies_record_route = false;   // RFC 3261 12.1.1: in a 2xx that makes a dialog
  absl::Span<const Header> headers;
  std::string_view content_type;  // with a body
  std::string_view body;
};

// An answer always can be printed: control characters in `spec`'s values become spaces, so that no
// value starts a header of its own (RFC 3261 7.3.1). Via, From, To, Call-ID, CSeq are repeated
// unfolded, else as they came. Content-Length is always there.
std::string PrintResponse(const Message& request, const ResponseSpec& spec);

// The same to a request that was refused before it became a Message; it has no Record-Route.
std::string PrintResponse(const AnswerableRequest& request, const ResponseSpec& spec);

// A Via of our own: `SIP/2.0/UDP host:port;branch=...;rport`. `host` may be an IPv6 address with or
// without brackets. port 0 leaves it out.
struct ViaSpec {
  std::string_view transport;  // "UDP", "TCP"
  std::string_view host;
  uint16_t port = 0;
  std::string_view branch;
  bool asks_rport = false;
  bool offers_alias = false;  // RFC 5923
};
std::string FormatVia(const ViaSpec& via);

// `host`, or `[host]` if it is an IPv6 address without brackets; `:port` unless port is 0.
std::string FormatHostPort(std::string_view host, uint16_t port);

struct RequestSpec {
  std::string_view method;
  std::string_view request_uri;
  std::string_view via;  // FormatVia(), or a stored text
  // A URI, or a whole name-addr if it holds a `<`; the tag is added.
  std::string_view from;
  std::string_view from_tag;
  std::string_view to;
  std::string_view to_tag;
  std::string_view call_id;
  uint32_t cseq = 0;
  uint32_t max_forwards = 70;
  absl::Span<const std::string_view> routes;  // name-addrs, in order
  std::string_view contact;                   // as `from`; empty: none
  absl::Span<const Header> headers;
  std::string_view content_type;  // with a body
  std::string_view body;
};

// Errors: INVALID_ARGUMENT   a value holds CR, LF, NUL or another control character, or white space
// where
//                            none may be: it would be another message than the one meant.
absl::StatusOr<std::string> PrintRequest(const RequestSpec& spec);

// RFC 3261 12.2.1.1: where a request in a dialog goes. With a loose first route (`;lr`) or none the
// Request-URI is the remote target; with a strict one it is that route, and the target ends the
// list.
struct RoutedTarget {
  std::string request_uri;
  std::vector<std::string> routes;
  std::string next_hop;  // URI to send to: the first route, or else the remote target
};
// Errors: INVALID_ARGUMENT   the first route is not a name-addr of a sip or sips URI.
absl::StatusOr<RoutedTarget> RouteInDialog(std::string_view remote_target,
                                           absl::Span<const std::string_view> route_set);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SOFIA_PRINTER_H_
