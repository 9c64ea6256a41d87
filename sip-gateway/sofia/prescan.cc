#include "sip-gateway/sofia/prescan.h"

#include "sip-gateway/sofia/grammar.h"
#include "sip-gateway/sofia/head_scan.h"
#include "sip-gateway/sofia/header_values.h"

namespace presence::sip {
namespace {

constexpr Fault kTooLarge{513, "Message Too Large"};
constexpr Fault kBodyCutShort{400, "Content-Length Longer Than Message"};

FieldId IdOfCompactForm(char letter) {
  switch (letter | 0x20) {
    case 'c':
      return FieldId::kContentType;
    case 'e':
      return FieldId::kContentEncoding;
    case 'f':
      return FieldId::kFrom;
    case 'i':
      return FieldId::kCallId;
    case 'k':
      return FieldId::kSupported;
    case 'l':
      return FieldId::kContentLength;
    case 'm':
      return FieldId::kContact;
    case 'o':
      return FieldId::kEvent;
    case 't':
      return FieldId::kTo;
    case 'v':
      return FieldId::kVia;
    default:
      return FieldId::kOther;
  }
}

}  // namespace

FieldId FieldIdOf(std::string_view name) {
  const auto is = [name](std::string_view other) { return EqualsIgnoreCase(name, other); };
  switch (name.size()) {
    case 1:
      return IdOfCompactForm(name[0]);
    case 2:
      return is("To") ? FieldId::kTo : FieldId::kOther;
    case 3:
      return is("Via") ? FieldId::kVia : FieldId::kOther;
    case 4:
      return is("From") ? FieldId::kFrom : is("CSeq") ? FieldId::kCSeq : FieldId::kOther;
    case 5:
      return is("Event") ? FieldId::kEvent : is("Route") ? FieldId::kRoute : FieldId::kOther;
    case 6:
      return is("Accept") ? FieldId::kAccept : FieldId::kOther;
    case 7:
      if (is("Call-ID")) return FieldId::kCallId;
      if (is("Contact")) return FieldId::kContact;
      if (is("Expires")) return FieldId::kExpires;
      return is("Require") ? FieldId::kRequire : FieldId::kOther;
    case 9:
      return is("Supported") ? FieldId::kSupported : FieldId::kOther;
    case 11:
      return is("Retry-After") ? FieldId::kRetryAfter : FieldId::kOther;
    case 12:
      if (is("Content-Type")) return FieldId::kContentType;
      if (is("Max-Forwards")) return FieldId::kMaxForwards;
      if (is("Record-Route")) return FieldId::kRecordRoute;
      return is("SIP-If-Match") ? FieldId::kSipIfMatch : FieldId::kOther;
    case 14:
      return is("Content-Length") ? FieldId::kContentLength : FieldId::kOther;
    case 16:
      return is("Content-Encoding") ? FieldId::kContentEncoding : FieldId::kOther;
    case 19:
      return is("P-Asserted-Identity") ? FieldId::kPAssertedIdentity : FieldId::kOther;
    default:
      return FieldId::kOther;
  }
}

std::optional<AnswerableRequest> ExtractAnswerable(const ScannedMessage& message) {
  // RFC 3261 17.1.1.3: an ACK is never answered, and neither is a response.
  if (!message.is_request() || message.method.empty() || message.method == "ACK")
    return std::nullopt;
  AnswerableRequest answerable;
  answerable.method = message.method;
  const auto keep_first = [](std::string_view& slot, std::string_view value) {
    if (slot.empty()) slot = value;
  };
  for (const HeaderField& field : message.fields) {
    switch (field.id) {
      case FieldId::kVia:
        answerable.vias.push_back(field.value);
        break;
      case FieldId::kFrom:
        keep_first(answerable.from, field.value);
        break;
      case FieldId::kTo:
        keep_first(answerable.to, field.value);
        break;
      case FieldId::kCallId:
        keep_first(answerable.call_id, field.value);
        break;
      case FieldId::kCSeq:
        keep_first(answerable.cseq, field.value);
        break;
      default:
        break;
    }
  }
  if (answerable.from.empty() || answerable.to.empty() || answerable.call_id.empty() ||
      answerable.cseq.empty() || answerable.vias.empty() ||
      !ParseTopVia(answerable.vias.front()).ok()) {
    return std::nullopt;
  }
  return answerable;
}

ScanResult PreScan(std::string_view datagram, const ScanLimits& limits) {
  size_t begin = 0;
  while (datagram.substr(begin).starts_with("\r\n")) begin += 2;
  if (begin == datagram.size()) return KeepAlive{begin >= 4};
  const std::string_view bytes = datagram.substr(begin);

  HeadScan scan = ScanHead(bytes, limits);
  if (bytes.size() > limits.max_message_bytes) return RefusalOf(scan, kTooLarge);
  if (scan.fault) return RefusalOf(scan, *scan.fault);

  // RFC 3261 18.3.
  const size_t available = bytes.size() - scan.head_size;
  const size_t length = scan.content_length.value_or(available);
  if (length > available) return RefusalOf(scan, kBodyCutShort);
  ScannedMessage& message = scan.message;
  message.bytes = bytes.substr(0, scan.head_size + length);
  message.body = bytes.substr(scan.head_size, length);
  return std::move(scan.message);
}

}  // namespace presence::sip
