#include "sip-gateway/sofia/message.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "sip-gateway/sofia/grammar.h"
#include "sip-gateway/sofia/sofia_verdict.h"

namespace presence::sip {
namespace {

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(Concat({"Malformed ", what}));
}

// RFC 3261 7.3.3 and the extensions' own compact forms.
std::string_view LongForm(std::string_view name) {
  if (name.size() != 1) return name;
  switch (absl::ascii_tolower(static_cast<unsigned char>(name[0]))) {
    case 'a':
      return "Accept-Contact";
    case 'b':
      return "Referred-By";
    case 'c':
      return "Content-Type";
    case 'd':
      return "Request-Disposition";
    case 'e':
      return "Content-Encoding";
    case 'f':
      return "From";
    case 'i':
      return "Call-ID";
    case 'j':
      return "Reject-Contact";
    case 'k':
      return "Supported";
    case 'l':
      return "Content-Length";
    case 'm':
      return "Contact";
    case 'o':
      return "Event";
    case 'r':
      return "Refer-To";
    case 's':
      return "Subject";
    case 't':
      return "To";
    case 'u':
      return "Allow-Events";
    case 'v':
      return "Via";
    case 'x':
      return "Session-Expires";
    default:
      return name;
  }
}

// Header fields that occur once, where a second one would make the request mean two things (RFC
// 3261 7.3.1; RFC 4475 3.3.8).
struct SingleField {
  FieldId id;
  std::string_view name;
  bool is_required;
};
constexpr SingleField kSingleFields[] = {
    {FieldId::kFrom, "From", true},
    {FieldId::kTo, "To", true},
    {FieldId::kCallId, "Call-ID", true},
    {FieldId::kCSeq, "CSeq", true},
    {FieldId::kMaxForwards, "Max-Forwards", false},
    {FieldId::kEvent, "Event", false},
    {FieldId::kExpires, "Expires", false},
    {FieldId::kSipIfMatch, "SIP-If-Match", false},
    {FieldId::kContentType, "Content-Type", false},
};

bool IsCallId(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

struct Message::Parsed {
  explicit Parsed(const ScannedMessage& scanned) : bytes(scanned.bytes), scan(scanned) {
    Rebase(scanned);
  }

  // Makes the views of `scan` point into our own copy.
  void Rebase(const ScannedMessage& scanned) {
    const auto own = [&](std::string_view& view) {
      if (view.empty()) {
        view = std::string_view(bytes).substr(0, 0);
      } else {
        view = {bytes.data() + (view.data() - scanned.bytes.data()), view.size()};
      }
    };
    for (std::string_view* view :
         {&scan.bytes, &scan.method, &scan.request_uri, &scan.phrase, &scan.body}) {
      own(*view);
    }
    for (HeaderField& field : scan.fields) {
      own(field.name);
      own(field.value);
    }
  }

  const HeaderField* First(FieldId id) const {
    const auto found = std::find_if(scan.fields.begin(), scan.fields.end(),
                                    [id](const HeaderField& field) { return field.id == id; });
    return found == scan.fields.end() ? nullptr : &*found;
  }

  // Elements of all fields of that id.
  std::vector<std::string_view> List(FieldId id) const {
    std::vector<std::string_view> elements;
    for (const HeaderField& field : scan.fields) {
      if (field.id != id) continue;
      std::vector<std::string_view> more = SplitList(field.value);
      elements.insert(elements.end(), more.begin(), more.end());
    }
    return elements;
  }

  absl::StatusOr<std::vector<NameAddr>> Addresses(FieldId id) const {
    std::vector<NameAddr> addresses;
    for (const std::string_view element : List(id)) {
      absl::StatusOr<NameAddr> address = ParseNameAddr(element);
      if (!address.ok()) return address.status();
      addresses.push_back(*address);
    }
    return addresses;
  }

  absl::StatusOr<std::vector<MediaType>> MediaTypes(FieldId id) const {
    std::vector<MediaType> types;
    for (const std::string_view element : List(id)) {
      absl::StatusOr<MediaType> type = ParseMediaType(element);
      if (!type.ok()) return type.status();
      types.push_back(*std::move(type));
    }
    return types;
  }

  absl::Status ReadStartLine();
  absl::Status CountFields() const;
  absl::Status ReadVias();
  absl::Status ReadIdentity();
  absl::Status ReadCSeq();
  absl::Status CheckPublish() const;
  absl::Status CheckSubscribe() const;
  absl::Status CheckWithSofia() const;

  const std::string bytes;
  ScannedMessage scan;
  std::optional<SipUri> request_uri;
  Via top_via;
  size_t via_count = 0;
  NameAddr from;
  NameAddr to;
  std::string_view call_id;
  uint32_t cseq = 0;
  std::string_view cseq_method;
};

absl::Status Message::Parsed::ReadStartLine() {
  if (!scan.is_request()) return absl::OkStatus();
  absl::StatusOr<SipUri> uri = SipUri::Parse(scan.request_uri);
  if (!uri.ok()) return Malformed("Request-URI");
  // RFC 3261 19.1.1: headers have no place here; RFC 4475 3.1.2.11 lets us refuse them.
  if (!uri->headers().empty()) return absl::InvalidArgumentError("Headers in Request-URI");
  request_uri = *std::move(uri);
  return absl::OkStatus();
}

absl::Status Message::Parsed::CountFields() const {
  int counts[32] = {};
  for (const HeaderField& field : scan.fields) ++counts[static_cast<size_t>(field.id)];
  for (const SingleField& single : kSingleFields) {
    const int count = counts[static_cast<size_t>(single.id)];
    if (count == 0 && single.is_required) {
      return absl::InvalidArgumentError(Concat({"Missing ", single.name}));
    }
    // Of a response only what identifies it matters to us.
    if (count > 1 && (single.is_required || scan.is_request())) {
      return absl::InvalidArgumentError(Concat({"Multiple ", single.name}));
    }
  }
  return absl::OkStatus();
}

absl::Status Message::Parsed::ReadVias() {
  for (const HeaderField& field : scan.fields) {
    if (field.id != FieldId::kVia) continue;
    // The first element is taken from the field itself, as whoever stamps the answer's Via will: an
    // empty one before it must not hide there.
    absl::StatusOr<Via> via = ParseTopVia(field.value);
    if (!via.ok()) return via.status();
    if (via_count++ == 0) top_via = *via;
    for (const std::string_view element : SplitList(field.value.substr(via->text.size()))) {
      if (const auto other = ParseTopVia(element); !other.ok()) return other.status();
      ++via_count;
    }
  }
  if (via_count == 0) return absl::InvalidArgumentError("Missing Via");
  return absl::OkStatus();
}

absl::Status Message::Parsed::ReadIdentity() {
  absl::StatusOr<NameAddr> address = ParseNameAddr(First(FieldId::kFrom)->value);
  if (!address.ok() || address->is_star) return Malformed("From");
  from = *address;
  address = ParseNameAddr(First(FieldId::kTo)->value);
  if (!address.ok() || address->is_star) return Malformed("To");
  to = *address;
  call_id = First(FieldId::kCallId)->value;
  if (!IsCallId(call_id)) return Malformed("Call-ID");
  return absl::OkStatus();
}

// RFC 3261 8.1.1.5: below 2^31, and 20.16: the method is the request's own.
absl::Status Message::Parsed::ReadCSeq() {
  std::string_view rest = First(FieldId::kCSeq)->value;
  const size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
  const std::optional<uint32_t> number = ParseUint32(rest.substr(0, digits));
  if (!number || *number > 0x7fffffffu) return Malformed("CSeq");
  cseq = *number;
  rest.remove_prefix(digits);
  if (rest.empty() || !IsLws(rest.front())) return Malformed("CSeq");
  cseq_method = TrimLws(rest);
  if (!IsToken(cseq_method)) return Malformed("CSeq");
  if (scan.is_request() && cseq_method != scan.method) {
    return absl::InvalidArgumentError("CSeq Method Mismatch");
  }
  return absl::OkStatus();
}

absl::Status Message::Parsed::CheckPublish() const {
  if (const HeaderField* field = First(FieldId::kEvent); field && !ParseEvent(field->value).ok()) {
    return Malformed("Event");
  }
  if (const HeaderField* field = First(FieldId::kExpires);
      field && !ParseExpires(field->value).ok()) {
    return Malformed("Expires");
  }
  if (const HeaderField* field = First(FieldId::kSipIfMatch);
      field && !ParseSipIfMatch(field->value).ok()) {
    return Malformed("SIP-If-Match");
  }
  if (const HeaderField* field = First(FieldId::kContentType);
      field && !ParseMediaType(field->value).ok()) {
    return Malformed("Content-Type");
  }
  return absl::OkStatus();
}

absl::Status Message::Parsed::CheckSubscribe() const {
  if (const HeaderField* field = First(FieldId::kEvent); field && !ParseEvent(field->value).ok()) {
    return Malformed("Event");
  }
  if (const HeaderField* field = First(FieldId::kExpires);
      field && !ParseExpires(field->value).ok()) {
    return Malformed("Expires");
  }
  if (!Addresses(FieldId::kContact).ok()) return Malformed("Contact");
  if (!MediaTypes(FieldId::kAccept).ok()) return Malformed("Accept");
  for (const std::string_view route : List(FieldId::kRecordRoute)) {
    // RFC 3261 20.30: always in angle brackets, so that it can be copied into a Route as it is.
    if (!ParseNameAddr(route).ok() || route.back() == '*' ||
        !(route.find('<') != std::string_view::npos)) {
      return Malformed("Record-Route");
    }
  }
  return absl::OkStatus();
}

// A second opinion, last because it costs most: two parsers that were written apart have to agree
// that the headers a dialog or transaction hangs on are sound.
absl::Status Message::Parsed::CheckWithSofia() const {
  const SofiaVerdict verdict = AskSofia(bytes);
  if (!verdict.is_message) {
    // Sofia stops at a method with `+` or a backtick, tokens though they are. Such a request is a
    // 501, and what its answer repeats has been checked above.
    const bool is_odd_method = scan.method.find_first_of("+`") != std::string_view::npos;
    return is_odd_method ? absl::OkStatus() : Malformed("Start Line");
  }
  constexpr std::pair<FieldId, std::string_view> kNeeded[] = {
      {FieldId::kVia, "Via"},   {FieldId::kFrom, "From"},      {FieldId::kTo, "To"},
      {FieldId::kCSeq, "CSeq"}, {FieldId::kCallId, "Call-ID"},
  };
  for (const auto& [id, name] : kNeeded) {
    if (verdict.IsMalformed(id)) return Malformed(name);
  }
  if (scan.method == "SUBSCRIBE") {
    if (verdict.IsMalformed(FieldId::kContact)) return Malformed("Contact");
    if (verdict.IsMalformed(FieldId::kRecordRoute)) return Malformed("Record-Route");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Message>> Message::Parse(const ScannedMessage& scanned) {
  auto parsed = std::make_unique<Parsed>(scanned);
  absl::Status status = parsed->ReadStartLine();
  if (status.ok()) status = parsed->CountFields();
  if (status.ok()) status = parsed->ReadVias();
  if (status.ok()) status = parsed->ReadIdentity();
  if (status.ok()) status = parsed->ReadCSeq();
  if (status.ok() && scanned.method == "PUBLISH") status = parsed->CheckPublish();
  if (status.ok() && scanned.method == "SUBSCRIBE") status = parsed->CheckSubscribe();
  if (status.ok()) status = parsed->CheckWithSofia();
  if (!status.ok()) return status;
  return std::unique_ptr<Message>(new Message(std::move(parsed)));
}

Message::Message(std::unique_ptr<Parsed> parsed) : parsed_(std::move(parsed)) {}
Message::~Message() = default;

bool Message::is_request() const { return parsed_->scan.is_request(); }
std::string_view Message::method() const {
  return is_request() ? parsed_->scan.method : parsed_->cseq_method;
}
std::string_view Message::request_uri_text() const { return parsed_->scan.request_uri; }
const SipUri* Message::request_uri() const {
  return parsed_->request_uri ? &*parsed_->request_uri : nullptr;
}
int Message::status() const { return parsed_->scan.status; }
std::string_view Message::phrase() const { return parsed_->scan.phrase; }
std::string_view Message::call_id() const { return parsed_->call_id; }
uint32_t Message::cseq() const { return parsed_->cseq; }
std::string_view Message::cseq_method() const { return parsed_->cseq_method; }
const NameAddr& Message::from() const { return parsed_->from; }
const NameAddr& Message::to() const { return parsed_->to; }
const Via& Message::top_via() const { return parsed_->top_via; }
size_t Message::via_count() const { return parsed_->via_count; }
std::string_view Message::body() const { return parsed_->scan.body; }
std::string_view Message::bytes() const { return parsed_->scan.bytes; }

AnswerableRequest Message::answerable() const {
  AnswerableRequest answerable;
  answerable.method = parsed_->scan.method;
  for (const HeaderField& field : parsed_->scan.fields) {
    if (field.id == FieldId::kVia) answerable.vias.push_back(field.value);
  }
  answerable.from = parsed_->First(FieldId::kFrom)->value;
  answerable.to = parsed_->First(FieldId::kTo)->value;
  answerable.call_id = parsed_->call_id;
  answerable.cseq = parsed_->First(FieldId::kCSeq)->value;
  return answerable;
}

std::vector<std::string_view> Message::routes() const { return parsed_->List(FieldId::kRoute); }
std::vector<std::string_view> Message::record_routes() const {
  return parsed_->List(FieldId::kRecordRoute);
}
std::vector<std::string_view> Message::require() const { return parsed_->List(FieldId::kRequire); }
std::vector<std::string_view> Message::supported() const {
  return parsed_->List(FieldId::kSupported);
}
std::vector<std::string_view> Message::content_encodings() const {
  return parsed_->List(FieldId::kContentEncoding);
}

absl::StatusOr<std::vector<NameAddr>> Message::contacts() const {
  return parsed_->Addresses(FieldId::kContact);
}

std::optional<uint32_t> Message::expires() const {
  const HeaderField* const field = parsed_->First(FieldId::kExpires);
  if (field == nullptr) return std::nullopt;
  const absl::StatusOr<uint32_t> seconds = ParseExpires(field->value);
  return seconds.ok() ? std::optional(*seconds) : std::nullopt;
}

std::optional<EventField> Message::event() const {
  const HeaderField* const field = parsed_->First(FieldId::kEvent);
  if (field == nullptr) return std::nullopt;
  const absl::StatusOr<EventField> event = ParseEvent(field->value);
  return event.ok() ? std::optional(*event) : std::nullopt;
}

std::optional<std::string_view> Message::sip_if_match() const {
  const HeaderField* const field = parsed_->First(FieldId::kSipIfMatch);
  if (field == nullptr) return std::nullopt;
  const absl::StatusOr<std::string_view> tag = ParseSipIfMatch(field->value);
  return tag.ok() ? std::optional(*tag) : std::nullopt;
}

std::optional<uint32_t> Message::max_forwards() const {
  const HeaderField* const field = parsed_->First(FieldId::kMaxForwards);
  if (field == nullptr) return std::nullopt;
  const std::optional<uint32_t> hops = ParseUint32(field->value);
  // RFC 4475 3.1.2.4: out of its range, it may be taken as absent.
  return hops && *hops <= 255 ? hops : std::nullopt;
}

std::optional<uint32_t> Message::retry_after() const {
  const HeaderField* const field = parsed_->First(FieldId::kRetryAfter);
  if (field == nullptr) return std::nullopt;
  // RFC 3261 20.33: delta-seconds [ comment ] *( ";" retry-param ).
  const size_t digits = std::min(field->value.find_first_not_of("0123456789"), field->value.size());
  return ParseUint32(field->value.substr(0, digits));
}

std::optional<std::vector<MediaType>> Message::accept() const {
  if (parsed_->First(FieldId::kAccept) == nullptr) return std::nullopt;
  absl::StatusOr<std::vector<MediaType>> types = parsed_->MediaTypes(FieldId::kAccept);
  return types.ok() ? std::optional(*std::move(types)) : std::nullopt;
}

std::optional<MediaType> Message::content_type() const {
  const HeaderField* const field = parsed_->First(FieldId::kContentType);
  if (field == nullptr) return std::nullopt;
  absl::StatusOr<MediaType> type = ParseMediaType(field->value);
  return type.ok() ? std::optional(*std::move(type)) : std::nullopt;
}

std::vector<NameAddr> Message::asserted_identities() const {
  std::vector<NameAddr> identities;
  for (const std::string_view element : parsed_->List(FieldId::kPAssertedIdentity)) {
    const absl::StatusOr<NameAddr> identity = ParseNameAddr(element);
    if (identity.ok() && !identity->is_star) identities.push_back(*identity);
  }
  return identities;
}

std::optional<std::string_view> Message::header(std::string_view name) const {
  for (const HeaderField& field : parsed_->scan.fields) {
    if (EqualsIgnoreCase(LongForm(field.name), name)) return field.value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Message::headers(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const HeaderField& field : parsed_->scan.fields) {
    if (EqualsIgnoreCase(LongForm(field.name), name)) values.push_back(field.value);
  }
  return values;
}

}  // namespace presence::sip
