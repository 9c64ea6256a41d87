#include "sip-gateway/sofia/header_values.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"

namespace presence::sip {
namespace {

// A port of 1 to 65535.
bool ParsePort(std::string_view text, uint16_t& port) {
  const std::optional<uint32_t> value = ParseUint32(text);
  if (!value || *value == 0 || *value > 65535) return false;
  port = static_cast<uint16_t>(*value);
  return true;
}

absl::Status Malformed(std::string_view header) {
  return absl::InvalidArgumentError(Concat({"Malformed ", header}));
}

bool TakeHost(std::string_view& rest, std::string_view& host) {
  if (!rest.empty() && rest.front() == '[') {
    const size_t close = rest.find(']');
    if (close == std::string_view::npos) return false;
    host = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    return !host.empty() &&
           host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  }
  const auto is_host = [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_';
  };
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_host);
  host = rest.substr(0, static_cast<size_t>(end - rest.begin()));
  rest.remove_prefix(host.size());
  return !host.empty();
}

// False: a parameter that decides where an answer goes or whose it is stands twice or has no such
// value.
bool TakeViaParameters(std::string_view text, Via& via) {
  bool has_branch = false;
  bool has_received = false;
  bool has_maddr = false;
  const auto first = [](bool& seen) { return !std::exchange(seen, true); };
  std::string_view rest = text;
  while (const std::optional<Parameter> parameter = TakeParameter(rest)) {
    const auto is = [&](std::string_view name) { return EqualsIgnoreCase(parameter->name, name); };
    if (is("branch")) {
      if (!first(has_branch) || !IsToken(parameter->value)) return false;
      via.branch = parameter->value;
    } else if (is("rport")) {
      if (!first(via.has_rport)) return false;
      if (!parameter->value.empty() && !ParsePort(parameter->value, via.rport)) return false;
    } else if (is("received")) {
      if (!first(has_received)) return false;
      via.received = parameter->value;
    } else if (is("maddr")) {
      if (!first(has_maddr)) return false;
      via.maddr = parameter->value;
    } else if (is("alias")) {
      via.has_alias = true;
    }
  }
  return true;
}

// display-name: quoted-string or tokens. RFC 4475 3.1.1.6 wants no space before `<`; bytes of UTF-8
// are let pass because phones send names unquoted.
bool IsDisplayName(std::string_view text) {
  if (text.empty()) return true;
  if (text.front() == '"') return QuotedSize(text) == text.size();
  return std::all_of(text.begin(), text.end(), [](char c) {
    return IsTokenChar(c) || IsLws(c) || static_cast<unsigned char>(c) >= 0x80;
  });
}

// What can be a URI at all: a scheme, a colon, more; no white space, quotes or brackets.
bool LooksLikeUri(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == text.size()) return false;
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= ' ' || byte >= 0x7f || c == '<' || c == '>' || c == '"';
  });
}

}  // namespace

bool Via::has_magic_cookie() const {
  constexpr std::string_view kCookie = "z9hG4bK";
  // RFC 4475 3.2.1: the cookie alone identifies nothing.
  return branch.starts_with(kCookie) && branch.size() > kCookie.size();
}

absl::StatusOr<Via> ParseTopVia(std::string_view field_value) {
  Via via;
  const size_t end = FindTopLevel(field_value, ",", Brackets::kPlain);
  if (end == std::string_view::npos) return Malformed("Via");
  via.text = TrimLws(field_value.substr(0, end));
  std::string_view rest = via.text;
  if (TakeToken(rest).empty() || !TakeSeparator(rest, '/') || TakeToken(rest).empty() ||
      !TakeSeparator(rest, '/')) {
    return Malformed("Via");
  }
  via.transport = TakeToken(rest);
  if (via.transport.empty() || rest.empty() || !IsLws(rest.front())) return Malformed("Via");
  SkipLws(rest);
  if (!TakeHost(rest, via.host)) return Malformed("Via");
  if (TakeSeparator(rest, ':')) {
    const size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (!ParsePort(rest.substr(0, digits), via.port)) return Malformed("Via");
    rest.remove_prefix(digits);
  }
  SkipLws(rest);
  if (!rest.empty() && rest.front() != ';') return Malformed("Via");
  if (!AreParameters(rest) || !TakeViaParameters(rest, via)) return Malformed("Via");
  return via;
}

absl::StatusOr<NameAddr> ParseNameAddr(std::string_view text) {
  NameAddr address;
  address.text = text = TrimLws(text);
  if (text == "*") {
    address.is_star = true;
    return address;
  }
  const size_t open = FindTopLevel(text, "<", Brackets::kPlain);
  if (open == std::string_view::npos) return Malformed("Address");
  if (open == text.size()) {
    // RFC 3261 20.10: without brackets a `;` starts the header's parameters, and `,` and `?` cannot
    // be.
    const size_t end = std::min(text.find_first_of("; \t\r\n"), text.size());
    address.uri = text.substr(0, end);
    if (address.uri.find_first_of(",?") != std::string_view::npos) return Malformed("Address");
    address.parameters = TrimLws(text.substr(end));
  } else {
    address.display = TrimLws(text.substr(0, open));
    if (!IsDisplayName(address.display)) return Malformed("Address");
    const size_t close = text.find('>', open);
    if (close == std::string_view::npos) return Malformed("Address");
    address.uri = text.substr(open + 1, close - open - 1);
    address.parameters = TrimLws(text.substr(close + 1));
  }
  if (!LooksLikeUri(address.uri)) return Malformed("Address");
  if (!address.parameters.empty() &&
      (address.parameters.front() != ';' || !AreParameters(address.parameters))) {
    return Malformed("Address");
  }
  if (const auto tag = FindParameter(address.parameters, "tag")) {
    if (!IsToken(*tag) || IsRepeated(address.parameters, "tag")) return Malformed("Tag");
    address.tag = *tag;
  }
  return address;
}

absl::StatusOr<EventField> ParseEvent(std::string_view value) {
  EventField event;
  std::string_view rest = TrimLws(value);
  event.type = TakeToken(rest);
  event.parameters = TrimLws(rest);
  const bool is_package = !event.type.empty() && event.type.front() != '.' &&
                          event.type.back() != '.' &&
                          !(event.type.find("..") != std::string_view::npos);
  if (!is_package || (!event.parameters.empty() && event.parameters.front() != ';') ||
      !AreParameters(event.parameters) || IsRepeated(event.parameters, "id")) {
    return Malformed("Event");
  }
  event.id = FindParameter(event.parameters, "id");
  // RFC 6665 8.4: "id" EQUAL token.
  if (event.id.has_value() && !IsToken(*event.id)) return Malformed("Event");
  return event;
}

absl::StatusOr<uint32_t> ParseExpires(std::string_view value) {
  const std::optional<uint32_t> seconds = ParseUint32(TrimLws(value));
  if (!seconds) return Malformed("Expires");
  return *seconds;
}

absl::StatusOr<std::string_view> ParseSipIfMatch(std::string_view value) {
  const std::string_view tag = TrimLws(value);
  if (!IsToken(tag)) return Malformed("SIP-If-Match");
  return tag;
}

absl::StatusOr<MediaType> ParseMediaType(std::string_view text) {
  std::string_view rest = TrimLws(text);
  const std::string_view type = TakeToken(rest);
  if (type.empty() || !TakeSeparator(rest, '/')) return Malformed("Media Type");
  const std::string_view subtype = TakeToken(rest);
  const std::string_view parameters = TrimLws(rest);
  if (subtype.empty() || (!parameters.empty() && parameters.front() != ';') ||
      !AreParameters(parameters)) {
    return Malformed("Media Type");
  }
  MediaType media{Concat({type, "/", subtype}), parameters};
  absl::AsciiStrToLower(&media.type);
  return media;
}

}  // namespace presence::sip
