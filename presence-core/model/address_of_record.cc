#include "presence-core/model/address_of_record.h"

#include <arpa/inet.h>

#include <optional>

#include "absl/strings/ascii.h"
#include "presence-core/model/error.h"
#include "presence-core/model/utf8.h"

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

// The one spelling of "[address]"; nothing when it is no IPv6 address. An identity compares by its
// text, so "[2001:db8:0::1]" and "[2001:DB8::1]" must come out the same.
std::optional<std::string> CanonicalIpv6(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return std::nullopt;
  in6_addr address{};
  char text[INET6_ADDRSTRLEN] = {};
  const std::string inner(host.substr(1, host.size() - 2));
  if (inner.find('\0') != std::string::npos) return std::nullopt;
  if (inet_pton(AF_INET6, inner.c_str(), &address) != 1) return std::nullopt;
  inet_ntop(AF_INET6, &address, text, sizeof(text));
  return std::string("[").append(text).append("]");
}

bool IsHostName(std::string_view host) {
  if (host.empty() || host.size() > 255) return false;
  for (char c : host) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.' && c != '_') {
      return false;
    }
  }
  return host.front() != '.' && host.front() != '-' && host.back() != '.' &&
         host.find("..") == std::string_view::npos;
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
  bool has_sip_scheme = false;
};

// The digits of a telephone number in the one spelling that compares (RFC 3966 §4): no visual
// separators, hexadecimal digits in upper case. Nothing when it is no number.
std::optional<std::string> CanonicalNumber(std::string_view number) {
  std::string digits;
  for (char c : number) {
    if (c == '-' || c == '.' || c == '(' || c == ')') continue;
    const bool is_leading_plus = c == '+' && digits.empty();
    const bool is_global = digits.starts_with('+');
    const bool is_digit = c >= '0' && c <= '9';
    const bool is_local_only = HexValue(c) >= 0 || c == '*' || c == '#';
    if (!is_leading_plus && !is_digit && (is_global || !is_local_only)) return std::nullopt;
    digits.push_back(absl::ascii_toupper(static_cast<unsigned char>(c)));
  }
  if (digits.empty() || digits == "+") return std::nullopt;
  return digits;
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
  if (text.starts_with("domains/")) return ParseResourceName(text.substr(8), text, field);
  const size_t colon = text.find(':');
  std::string scheme(text.substr(0, colon == std::string_view::npos ? 0 : colon));
  absl::AsciiStrToLower(&scheme);
  if (scheme == "sip" || scheme == "sips" || scheme == "pres") {
    absl::StatusOr<Parts> parts = ParseSip(text.substr(colon + 1), text, field);
    if (parts.ok()) parts->has_sip_scheme = true;
    return parts;
  }
  if (scheme == "tel") {
    const std::string_view number = text.substr(colon + 1);
    return Parts{.user = std::string(number.substr(0, number.find(';'))),
                 .host = std::string(kTelHost)};
  }
  // A bare address may have a port or an IPv6 host behind the '@', but no colon before it.
  if (colon == std::string_view::npos || text.find('@') < colon) return ParseSip(text, text, field);
  return InvalidUri(field, text, "the scheme is not sip, sips, pres or tel");
}

absl::Status Canonicalize(Parts& parts, AddressRules rules, std::string_view text,
                          std::string_view field) {
  if (parts.user.empty()) return InvalidUri(field, text, "it names no user");
  if (!IsCleanText(parts.user)) {
    return InvalidUri(field, text, "the user has a control character or is not UTF-8");
  }
  if (rules.fold_user_case) absl::AsciiStrToLower(&parts.user);
  absl::AsciiStrToLower(&parts.host);
  if (parts.host.size() > 1 && parts.host.back() == '.') parts.host.pop_back();
  if (std::optional<std::string> ipv6 = CanonicalIpv6(parts.host)) {
    parts.host = *std::move(ipv6);
  } else if (!IsHostName(parts.host)) {
    return InvalidUri(field, text, "the host is no host name or address");
  }
  if (parts.host != kTelHost) return absl::OkStatus();
  // A number may also come as its text or its resource name, but never as a SIP URI: sip: and tel:
  // identities do not match each other (RFC 5025 §3.1.1.2).
  if (parts.has_sip_scheme) return InvalidUri(field, text, "the host \"tel\" is for tel URIs only");
  std::optional<std::string> number = CanonicalNumber(parts.user);
  if (!number.has_value()) return InvalidUri(field, text, "a telephone number has digits only");
  parts.user = *std::move(number);
  return absl::OkStatus();
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
  const absl::Status canonical = Canonicalize(*parts, rules, text, field);
  if (!canonical.ok()) return canonical;
  return AddressOfRecord(std::move(parts->user), parts->host);
}

std::optional<AddressOfRecord> AddressOfRecord::FromText(std::string_view text) {
  const size_t at = text.rfind('@');
  if (at == std::string_view::npos) return std::nullopt;
  Parts parts{.user = std::string(text.substr(0, at)), .host = std::string(text.substr(at + 1))};
  if (!Canonicalize(parts, {}, text, "address").ok()) return std::nullopt;
  AddressOfRecord address(std::move(parts.user), parts.host);
  if (address.text() != text) return std::nullopt;
  return address;
}

std::string AddressOfRecord::Uri() const {
  if (empty()) return {};
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

std::optional<PresentityUri> PresentityUri::FromText(std::string_view text) {
  std::optional<AddressOfRecord> address = AddressOfRecord::FromText(text);
  if (!address.has_value()) return std::nullopt;
  return PresentityUri(*std::move(address));
}

std::optional<WatcherUri> WatcherUri::FromText(std::string_view text) {
  std::optional<AddressOfRecord> address = AddressOfRecord::FromText(text);
  if (!address.has_value()) return std::nullopt;
  return WatcherUri(*std::move(address));
}

absl::StatusOr<WatcherUri> WatcherUri::Parse(std::string_view text, AddressRules rules) {
  auto parsed = AddressOfRecord::Parse(text, "watcher", rules);
  if (!parsed.ok()) return parsed.status();
  return WatcherUri(*std::move(parsed));
}

}  // namespace presence
