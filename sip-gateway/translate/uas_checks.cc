#include "sip-gateway/translate/uas_checks.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "sip-gateway/translate/abseil_text.h"

namespace presence::sip {
namespace {

// Methods of the RFCs that this server knows and does not serve: 405. Any other name is 501 (P30).
constexpr std::array<std::string_view, 10> kKnownMethods = {
    "INVITE", "ACK", "BYE", "REGISTER", "MESSAGE", "NOTIFY", "INFO", "PRACK", "UPDATE", "REFER"};

std::optional<Answer> Refuse(AnswerKind kind) { return Answer{.kind = kind}; }

bool IsServed(std::string_view method) {
  return method == "PUBLISH" || method == "SUBSCRIBE" || method == "OPTIONS";
}

// RFC 3261 8.2.1. Method names are case-sensitive (7.1).
std::optional<Answer> CheckMethod(std::string_view method) {
  if (IsServed(method)) return std::nullopt;
  const bool is_known =
      std::find(kKnownMethods.begin(), kKnownMethods.end(), method) != kKnownMethods.end();
  return Refuse(is_known ? AnswerKind::kMethodNotAllowed : AnswerKind::kUnknownMethod);
}

// A request that names nobody is meant for us, whatever host it names.
bool IsOptionsToServer(const Message& request, const SipUri& uri, const UasPolicy& policy) {
  return request.method() == "OPTIONS" &&
         (uri.user().empty() ||
          policy.own_hosts.contains(absl::AsciiStrToLower(Abseil(uri.host()))));
}

// RFC 3261 8.2.2.1; RFC 3903 6 step 1 (P01, S23).
std::optional<Answer> CheckRequestUri(const Message& request, const UasPolicy& policy) {
  const SipUri* uri = request.request_uri();
  if (uri == nullptr) return Refuse(AnswerKind::kBadRequestUri);
  if (!uri->is_sip_or_sips() && !uri->is_tel()) return Refuse(AnswerKind::kUnsupportedScheme);
  // A tel URI has no host; whether its number is somebody's is the core's knowledge.
  if (uri->is_tel() || IsOptionsToServer(request, *uri, policy)) return std::nullopt;
  // Within a dialog the Request-URI is our own Contact (RFC 3261 12.2.1.1); the tag says whose it
  // is.
  const bool is_in_dialog = request.method() == "SUBSCRIBE" && !request.to().tag.empty();
  if (!is_in_dialog && !policy.domains.Serves(uri->host())) {
    return Refuse(AnswerKind::kDomainNotServed);
  }
  return std::nullopt;
}

// RFC 3903 6 step 2, RFC 6665 4.2.1.1 and 8.2.1: a missing Event names no package either (P02,
// S23).
std::optional<Answer> CheckEvent(const Message& request, const Capabilities& capabilities) {
  // Before the first greeting of a core nobody can tell, or say what is allowed; the call will fail
  // with 503 then, or the core refuses it.
  if (!capabilities.are_events_known()) return std::nullopt;
  const std::optional<EventField> event = request.event();
  if (event.has_value() && capabilities.HasEvent(event->type)) return std::nullopt;
  return Refuse(AnswerKind::kBadEvent);
}

bool IsSipUri(std::string_view text) {
  const absl::StatusOr<SipUri> uri = SipUri::Parse(text);
  return uri.ok() && uri->is_sip_or_sips();
}

// RFC 3261 8.1.1.8 and 12.1.1: exactly one SIP or SIPS URI, or NOTIFYs have nowhere to go (S09).
std::optional<Answer> CheckDialogHeaders(const Message& request) {
  if (request.from().tag.empty()) return Refuse(AnswerKind::kBadFromTag);
  const absl::StatusOr<std::vector<NameAddr>> contacts = request.contacts();
  if (!contacts.ok() || contacts->size() != 1 || contacts->front().is_star ||
      !IsSipUri(contacts->front().uri)) {
    return Refuse(AnswerKind::kBadContact);
  }
  // These become the Routes of every NOTIFY; one that is no SIP URI would make all of them
  // unsendable.
  for (std::string_view text : request.record_routes()) {
    const absl::StatusOr<NameAddr> hop = ParseNameAddr(text);
    if (!hop.ok() || !IsSipUri(hop->uri)) return Refuse(AnswerKind::kBadRecordRoute);
  }
  return std::nullopt;
}

}  // namespace

ServedDomains::ServedDomains(absl::Span<const std::string> domains) {
  for (const std::string& domain : domains) domains_.insert(absl::AsciiStrToLower(domain));
}

bool ServedDomains::Serves(std::string_view host) const {
  return domains_.empty() || domains_.contains(absl::AsciiStrToLower(Abseil(host)));
}

std::optional<Answer> CheckRequest(const Message& request, const UasPolicy& policy) {
  if (auto refusal = CheckMethod(request.method())) return refusal;
  // RFC 3261 11: an OPTIONS that ran out of hops is answered by whom it reached; that is how
  // traceroute-like tools work.
  if (request.max_forwards() == 0 && request.method() != "OPTIONS") {
    return Refuse(AnswerKind::kTooManyHops);
  }
  if (auto refusal = CheckRequestUri(request, policy)) return refusal;
  // RFC 3261 8.2.2.3: we support no extension that changes how a request is processed (S14).
  if (!request.require().empty()) return Refuse(AnswerKind::kBadExtension);
  if (request.method() == "OPTIONS") return std::nullopt;
  if (auto refusal = CheckEvent(request, policy.capabilities)) return refusal;
  if (request.method() == "SUBSCRIBE") return CheckDialogHeaders(request);
  return std::nullopt;
}

}  // namespace presence::sip
