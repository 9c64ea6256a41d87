#include "sip-gateway/translate/answer.h"

#include <array>
#include <cstddef>

#include "absl/container/inlined_vector.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sip-gateway/sofia/printer.h"
#include "sip-gateway/translate/abseil_text.h"

namespace presence::sip {
namespace {

// The header that a kind of answer owes besides the ones every answer has.
enum class Extra : uint8_t {
  kNone,
  kPublication,     // Expires, SIP-ETag: RFC 3903 6
  kSubscription,    // Expires, Contact, Record-Route: RFC 6665 4.2.1.1, RFC 3261 12.1.1
  kAbilities,       // Allow, Allow-Events, Accept, ...: RFC 3261 11.2
  kAllow,           // RFC 3261 8.2.1
  kAllowEvents,     // RFC 6665 4.4.4
  kAccept,          // RFC 3261 8.2.3
  kAcceptEncoding,  // RFC 3261 8.2.3
  kUnsupported,     // RFC 3261 8.2.2.3
  kMinExpires,      // RFC 3261 21.4.17
  kRetryAfter,      // RFC 3261 21.5.4
};

struct Row {
  AnswerKind kind;
  int status;
  std::string_view phrase;  // empty: the standard one
  Extra extra;
};

// In the order of the kinds. Phrases are for the people who read a trace: they name what to change.
constexpr Row kRows[] = {
    {AnswerKind::kPlain, 0, "", Extra::kNone},
    {AnswerKind::kPublished, 200, "", Extra::kPublication},
    {AnswerKind::kSubscribed, 200, "", Extra::kSubscription},
    {AnswerKind::kOptions, 200, "", Extra::kAbilities},
    {AnswerKind::kBadRequestUri, 400, "Bad Request-URI", Extra::kNone},
    {AnswerKind::kBadFromTag, 400, "From Has No Tag", Extra::kNone},
    {AnswerKind::kBadContact, 400, "Exactly One SIP Contact Is Needed", Extra::kNone},
    {AnswerKind::kBadRecordRoute, 400, "Bad Record-Route", Extra::kNone},
    {AnswerKind::kBadUri, 400, "Bad URI", Extra::kNone},
    {AnswerKind::kBadField, 400, "", Extra::kNone},
    {AnswerKind::kBadDocument, 400, "Bad Document", Extra::kNone},
    {AnswerKind::kUnauthorized, 401, "", Extra::kNone},
    {AnswerKind::kWatcherBlocked, 403, "Watcher Blocked", Extra::kNone},
    {AnswerKind::kForbidden, 403, "", Extra::kNone},
    {AnswerKind::kEventMismatch, 403, "Event Is Not That of the Dialog", Extra::kNone},
    {AnswerKind::kDomainNotServed, 404, "", Extra::kNone},
    {AnswerKind::kPublicationUnknown, 404, "", Extra::kNone},
    {AnswerKind::kMethodNotAllowed, 405, "", Extra::kAllow},
    {AnswerKind::kNotAcceptable, 406, "", Extra::kNone},
    {AnswerKind::kEtagMismatch, 412, "", Extra::kNone},
    {AnswerKind::kDocumentTooLarge, 413, "", Extra::kNone},
    {AnswerKind::kUnsupportedContent, 415, "", Extra::kAccept},
    {AnswerKind::kUnsupportedEncoding, 415, "Unsupported Content-Encoding", Extra::kAcceptEncoding},
    {AnswerKind::kUnsupportedScheme, 416, "", Extra::kNone},
    {AnswerKind::kBadExtension, 420, "", Extra::kUnsupported},
    {AnswerKind::kIntervalTooBrief, 423, "", Extra::kMinExpires},
    {AnswerKind::kNoSuchDialog, 481, "Subscription Does Not Exist", Extra::kNone},
    {AnswerKind::kTooManyHops, 483, "", Extra::kNone},
    {AnswerKind::kBadEvent, 489, "", Extra::kAllowEvents},
    // RFC 3261 12.2.2 wants 500 for a CSeq that went back; no Retry-After, as waiting does not
    // help.
    {AnswerKind::kCseqTooOld, 500, "CSeq Is Too Old", Extra::kNone},
    {AnswerKind::kInternal, 500, "", Extra::kNone},
    {AnswerKind::kUnknownMethod, 501, "", Extra::kAllow},
    {AnswerKind::kNotServedYet, 501, "", Extra::kNone},
    {AnswerKind::kUnavailable, 503, "", Extra::kRetryAfter},
    {AnswerKind::kOverloaded, 503, "Overloaded", Extra::kRetryAfter},
    {AnswerKind::kCoreUnreachable, 503, "Presence Service Unreachable", Extra::kRetryAfter},
};

constexpr bool AreRowsInOrder() {
  for (size_t i = 0; i < std::size(kRows); ++i) {
    if (static_cast<size_t>(kRows[i].kind) != i) return false;
  }
  return true;
}
static_assert(AreRowsInOrder());
static_assert(std::size(kRows) == static_cast<size_t>(AnswerKind::kCoreUnreachable) + 1);

const Row& RowOf(AnswerKind kind) {
  const auto index = static_cast<size_t>(kind);
  return kRows[index < std::size(kRows) ? index : static_cast<size_t>(AnswerKind::kInternal)];
}

// The headers of one answer, with the texts that had to be made for them.
class HeaderList {
 public:
  void Add(std::string_view name, std::string_view value) { headers_.push_back({name, value}); }
  void AddSeconds(std::string_view name, uint32_t seconds) {
    seconds_ = absl::StrCat(seconds);
    Add(name, seconds_);
  }
  void AddMade(std::string_view name, std::string value) {
    made_ = std::move(value);
    Add(name, made_);
  }
  absl::Span<const Header> span() const { return headers_; }

 private:
  absl::InlinedVector<Header, 8> headers_;
  std::string seconds_;
  std::string made_;
};

void AddAbilities(const Capabilities& capabilities, HeaderList& headers) {
  headers.Add("Allow", kAllow);
  // Empty they would not mean "unknown": an empty Accept takes nothing, an empty Allow-Events is
  // none.
  if (!capabilities.allow_events().empty()) {
    headers.Add("Allow-Events", capabilities.allow_events());
  }
  if (!capabilities.accept().empty()) headers.Add("Accept", capabilities.accept());
  headers.Add("Accept-Encoding", "identity");
  headers.Add("Accept-Language", "en");
  // RFC 3261 20.37: empty says that no extension is supported.
  headers.Add("Supported", "");
}

// RFC 3261 8.2.2.3: all that we do not support, and we support none.
std::string UnsupportedValue(const Message& request) {
  return absl::StrJoin(request.require(), ", ",
                       [](std::string* out, std::string_view tag) { out->append(tag); });
}

void AddExtra(Extra extra, const Message& request, const Answer& answer,
              const Capabilities& capabilities, const AnswerContext& context, HeaderList& headers) {
  switch (extra) {
    case Extra::kNone:
      return;
    case Extra::kPublication:
      headers.AddSeconds("Expires", answer.seconds);
      headers.Add("SIP-ETag", answer.etag);
      return;
    case Extra::kSubscription:
      headers.AddSeconds("Expires", answer.seconds);
      headers.AddMade("Contact", absl::StrCat("<", Abseil(context.contact), ">"));
      return;
    case Extra::kAbilities:
      return AddAbilities(capabilities, headers);
    case Extra::kAllow:
      return headers.Add("Allow", kAllow);
    case Extra::kAllowEvents:
      return headers.Add("Allow-Events",
                         answer.list.empty() ? capabilities.allow_events() : answer.list);
    case Extra::kAccept:
      return headers.Add("Accept", answer.list.empty() ? capabilities.accept() : answer.list);
    case Extra::kAcceptEncoding:
      return headers.Add("Accept-Encoding", "identity");
    case Extra::kUnsupported:
      return headers.AddMade("Unsupported", UnsupportedValue(request));
    case Extra::kMinExpires:
      return headers.AddSeconds("Min-Expires", answer.seconds);
    case Extra::kRetryAfter:
      return headers.AddSeconds("Retry-After", answer.seconds);
  }
}

}  // namespace

int StatusOf(const Answer& answer) {
  return answer.kind == AnswerKind::kPlain ? answer.status : RowOf(answer.kind).status;
}

std::string PrintAnswer(const Message& request, const Answer& answer,
                        const Capabilities& capabilities, const AnswerContext& context) {
  const Row& row = RowOf(answer.kind);
  HeaderList headers;
  AddExtra(row.extra, request, answer, capabilities, context, headers);
  if (answer.kind == AnswerKind::kPlain && answer.seconds != 0) {
    headers.AddSeconds("Retry-After", answer.seconds);
  }
  if (!capabilities.product().empty()) headers.Add("Server", capabilities.product());

  ResponseSpec spec;
  spec.status = StatusOf(answer);
  spec.phrase = row.phrase;
  spec.to_tag = answer.to_tag;
  spec.via_received = context.via_received;
  spec.via_rport = context.via_rport;
  // RFC 3903 6: a PUBLISH makes no dialog, so its Record-Route is not repeated (P19).
  spec.copies_record_route = row.extra == Extra::kSubscription;
  spec.headers = headers.span();
  return PrintResponse(request, spec);
}

std::string PrintRefusal(const AnswerableRequest& request, int status, std::string_view phrase,
                         std::string_view to_tag, const Capabilities& capabilities,
                         const AnswerContext& context) {
  HeaderList headers;
  if (!capabilities.product().empty()) headers.Add("Server", capabilities.product());

  ResponseSpec spec;
  spec.status = status;
  spec.phrase = phrase;
  spec.to_tag = to_tag;
  spec.via_received = context.via_received;
  spec.via_rport = context.via_rport;
  spec.headers = headers.span();
  return PrintResponse(request, spec);
}

}  // namespace presence::sip
