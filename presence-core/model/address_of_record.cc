#include "presence-core/model/address_of_record.h"

#include "absl/strings/ascii.h"
#include "presence-core/model/error.h"

namespace presence {
namespace {

constexpr size_t kLongest = 512;
constexpr std::string_view kTelHost = "tel";

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Replaces each <mark>HH of `in` by its byte; false when a mark has no two digits behind it.
bool Unescape(std::string_view in, char mark, std::string& out) {
  out.reserve(in.size());
  for (size_t i = 0; i < in.size(); ++i) {
    if (in[i] != mark) {
      out.push_back(in[i]);
      continue;
    }
    if (i + 2 >= in.size()) return false;
    const int high = HexValue(in[i + 1]);
    const int low = HexValue(in[i + 2]);
    if (high < 0 || low < 0) return false;
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return true;
}

// Length of the well-formed UTF-8 character at the start of `s`, 0 if there is none (RFC 3629 §4).
size_t Utf8Length(std::string_view s) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(s[i]); };
  const auto tail = [&](size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < s.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

// Text that may stand in a database, a log and a document: UTF-8 without control characters.
bool IsCleanText(std::string_view s) {
  while (!s.empty()) {
    const auto c = static_cast<unsigned char>(s[0]);
    const size_t length = Utf8Length(s);
    if (length == 0 || c < 0x20 || c == 0x7F) return false;
    s.remove_prefix(length);
  }
  return true;
}

bool IsHost(std::string_view host) {
  if (host.empty() || host.size() > 255) return false;
  if (host.front() == '[') {
    if (host.back() != ']' || host.size() < 4) return false;
    for (char c : host.substr(1, host.size() - 2)) {
      if (HexValue(c) < 0 && c != ':' && c != '.') return false;
    }
    return true;
  }
  for (char c : host) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.' && c != '_') {
      return false;
    }
  }
  return host.front() != '.' && host.front() != '-' && host.find("..") == std::string_view::npos;
}

// The host of "host", "host:5060" or "[::1]:5060".
std::string_view WithoutPort(std::string_view hostport) {
  const size_t bracket = hostport.rfind(']');
  const size_t colon = hostport.find(':', bracket == std::string_view::npos ? 0 : bracket);
  return hostport.substr(0, colon);
}

bool IsPort(std::string_view digits) {
  if (digits.empty() || digits.size() > 5) return false;
  for (char c : digits) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

bool IsUnreserved(unsigned char c) {
  // RFC 3261 §25.1: unreserved and user-unreserved.
  return absl::ascii_isalnum(c) ||
         std::string_view("-_.!~*'()&=+$,;?/").find(static_cast<char>(c)) != std::string_view::npos;
}

struct Parts {
  std::string user;
  std::string host;
};

absl::StatusOr<Parts> ParseTel(std::string_view rest, std::string_view text,
                               std::string_view field) {
  Parts parts;
  parts.host = kTelHost;
  for (char c : rest.substr(0, rest.find(';'))) {
    // RFC 3966 §3: visual separators do not count.
    if (c == '-' || c == '.' || c == '(' || c == ')') continue;
    const bool leading_plus = c == '+' && parts.user.empty();
    if (!leading_plus && HexValue(c) < 0 && c != '*' && c != '#') {
      return InvalidUri(field, text, "a tel URI has digits only");
    }
    parts.user.push_back(c);
  }
  if (parts.user.empty() || parts.user == "+") return InvalidUri(field, text, "no digits");
  return parts;
}

absl::StatusOr<Parts> ParseResourceName(std::string_view rest, std::string_view text,
                                        std::string_view field) {
  const size_t split = rest.find("/users/");
  Parts parts;
  if (split == std::string_view::npos || !Unescape(rest.substr(0, split), '~', parts.host) ||
      !Unescape(rest.substr(split + 7), '~', parts.user)) {
    return InvalidUri(field, text, "write domains/<host>/users/<user>, with ~HH for other bytes");
  }
  return parts;
}

absl::StatusOr<Parts> ParseSip(std::string_view rest, std::string_view text,
                               std::string_view field) {
  // The user may itself hold ';' and '?', but never an unescaped '@' (RFC 3261 §25.1).
  const size_t at = rest.find('@');
  if (at == std::string_view::npos) return InvalidUri(field, text, "it names no user");
  std::string_view user = rest.substr(0, at);
  user = user.substr(0, user.find(':'));  // a password is no part of an identity
  std::string_view hostport = rest.substr(at + 1);
  hostport = hostport.substr(0, hostport.find_first_of(";?"));
  const std::string_view host = WithoutPort(hostport);
  if (hostport.size() > host.size() && !IsPort(hostport.substr(host.size() + 1))) {
    return InvalidUri(field, text, "the port is no number");
  }
  Parts parts;
  parts.host = std::string(host);
  if (!Unescape(user, '%', parts.user)) {
    return InvalidUri(field, text, "a % needs two hexadecimal digits behind it");
  }
  return parts;
}

absl::StatusOr<Parts> Split(std::string_view text, std::string_view field) {
  const std::string_view rest = text;
  if (rest.starts_with("domains/")) return ParseResourceName(rest.substr(8), text, field);
  const size_t colon = text.find(':');
  std::string scheme(text.substr(0, colon == std::string_view::npos ? 0 : colon));
  absl::AsciiStrToLower(&scheme);
  if (scheme == "sip" || scheme == "sips" || scheme == "pres") {
    return ParseSip(text.substr(colon + 1), text, field);
  }
  if (scheme == "tel") return ParseTel(text.substr(colon + 1), text, field);
  // A bare address may have a port or an IPv6 host behind the '@', but no colon before it.
  if (colon == std::string_view::npos || text.find('@') < colon) return ParseSip(text, text, field);
  return InvalidUri(field, text, "the scheme is not sip, sips, pres or tel");
}

}  // namespace

AddressOfRecord::AddressOfRecord(std::string user, std::string_view host)
    : text_(std::move(user)), at_(static_cast<uint32_t>(text_.size())) {
  text_.append("@").append(host);
}

absl::StatusOr<AddressOfRecord> AddressOfRecord::Parse(std::string_view text,
                                                       std::string_view field, AddressRules rules) {
  if (text.empty()) return InvalidUri(field, text, "it is empty");
  if (text.size() > kLongest) return InvalidUri(field, text, "it has more than 512 bytes");
  absl::StatusOr<Parts> parts = Split(text, field);
  if (!parts.ok()) return parts.status();
  if (parts->user.empty()) return InvalidUri(field, text, "it names no user");
  if (!IsCleanText(parts->user)) {
    return InvalidUri(field, text, "the user has a control character or is not UTF-8");
  }
  absl::AsciiStrToLower(&parts->host);
  if (parts->host.size() > 1 && parts->host.back() == '.') parts->host.pop_back();
  if (!IsHost(parts->host)) return InvalidUri(field, text, "the host is no host name or address");
  if (rules.fold_user_case) absl::AsciiStrToLower(&parts->user);
  return AddressOfRecord(std::move(parts->user), parts->host);
}

std::string AddressOfRecord::Uri() const {
  if (host() == kTelHost) return std::string("tel:").append(user());
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string uri = "sip:";
  for (char c : user()) {
    const auto byte = static_cast<unsigned char>(c);
    if (IsUnreserved(byte)) {
      uri.push_back(c);
    } else {
      uri.push_back('%');
      uri.push_back(kHex[byte >> 4]);
      uri.push_back(kHex[byte & 15]);
    }
  }
  return uri.append("@").append(host());
}

absl::StatusOr<PresentityUri> PresentityUri::Parse(std::string_view text, AddressRules rules) {
  auto parsed = AddressOfRecord::Parse(text, "presentity", rules);
  if (!parsed.ok()) return parsed.status();
  return PresentityUri(*std::move(parsed));
}

absl::StatusOr<WatcherUri> WatcherUri::Parse(std::string_view text, AddressRules rules) {
  auto parsed = AddressOfRecord::Parse(text, "watcher", rules);
  if (!parsed.ok()) return parsed.status();
  return WatcherUri(*std::move(parsed));
}

}  // namespace presence
