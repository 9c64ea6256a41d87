#include "sip-gateway/sofia/sip_uri.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"

namespace presence::sip {
namespace {

// RFC 3261 25.1: what may stand unescaped beside letters and digits.
constexpr std::string_view kUserChars = "-_.!~*'()&=+$,;?/";
constexpr std::string_view kPasswordChars = "-_.!~*'()&=+$,";
// `=` inside a value is no paramchar, but base64 in private parameters is common enough.
constexpr std::string_view kParameterChars = "-_.!~*'()[]/:&+$;=";
constexpr std::string_view kHeaderChars = "-_.!~*'()[]/?:+$&=";
constexpr std::string_view kReserved = ";/?:@&=+$,";
constexpr size_t kMaxTextBytes = 64 * 1024;

absl::Status Malformed() { return absl::InvalidArgumentError("Malformed URI"); }

bool IsEscape(std::string_view text, size_t at) {
  return at + 2 < text.size() && text[at] == '%' && absl::ascii_isxdigit(text[at + 1]) &&
         absl::ascii_isxdigit(text[at + 2]);
}

// Only letters, digits, `extra` and %HH escapes.
bool IsMadeOf(std::string_view text, std::string_view extra) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (!IsEscape(text, i)) return false;
      i += 2;
    } else if (!absl::ascii_isalnum(text[i]) && extra.find(text[i]) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

bool IsAddress(int family, std::string_view text) {
  unsigned char buffer[sizeof(in6_addr)];
  return inet_pton(family, std::string(text).c_str(), buffer) == 1;
}

// A hostname or IPv4 address. More liberal than RFC 3261's hostname in two ways real networks need:
// underscores, and a last label that starts with a digit (names of containers). A last label of
// digits alone would be an address, so then it must be one.
bool IsHost(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  if (text.back() == '.') text.remove_suffix(1);
  std::string_view label;
  for (size_t begin = 0; begin <= text.size(); begin += label.size() + 1) {
    label = text.substr(begin, text.find('.', begin) - begin);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
      return false;
    if (!std::all_of(label.begin(), label.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; })) {
      return false;
    }
  }
  const bool is_numeric = std::all_of(label.begin(), label.end(), absl::ascii_isdigit);
  return !is_numeric || IsAddress(AF_INET, text);
}

// The non-empty pieces of `text` between `separator`s.
std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) pieces.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return pieces;
}

// Every parameter has a name and a `=` has something on its right. RFC 3261 19.1.1, RFC 3966 3: no
// name stands twice; two readers could each take another one.
bool AreUriParameters(std::string_view text) {
  if (text.ends_with(';') || text.find(";;") != std::string_view::npos) return false;
  std::vector<std::string> names;
  for (const std::string_view parameter : Split(text, ';')) {
    if (parameter.front() == '=' || parameter.find('=') == parameter.size() - 1) return false;
    absl::AsciiStrToLower(&names.emplace_back(parameter.substr(0, parameter.find('='))));
  }
  // Sorted, as a header line has room for thousands of names.
  std::sort(names.begin(), names.end());
  const bool is_repeated = std::adjacent_find(names.begin(), names.end()) != names.end();
  return !is_repeated && IsMadeOf(text, kParameterChars);
}

// RFC 3261 19.1.4: an escape equals its character unless that one is reserved. Reads one unit at
// `at` and moves on; units of escaped reserved characters differ from all plain ones.
int TakeUnit(std::string_view text, size_t& at) {
  if (!IsEscape(text, at)) return static_cast<unsigned char>(text[at++]);
  unsigned value = 0;
  std::from_chars(text.data() + at + 1, text.data() + at + 3, value, 16);
  at += 3;
  const bool is_reserved = kReserved.find(static_cast<char>(value)) != std::string_view::npos;
  return static_cast<int>(is_reserved ? value + 256 : value);
}

int Folded(int unit) { return unit >= 'A' && unit <= 'Z' ? unit - 'A' + 'a' : unit; }

bool SameText(std::string_view a, std::string_view b, bool folds_case) {
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {
    int left = TakeUnit(a, i);
    int right = TakeUnit(b, j);
    if (folds_case) {
      left = Folded(left);
      right = Folded(right);
    }
    if (left != right) return false;
  }
  return i == a.size() && j == b.size();
}

// RFC 3261 19.1.4: a parameter in both must match; of those in one only, these five forbid a match.
bool ParametersAllow(std::string_view mine, std::string_view other) {
  for (std::string_view parameter : Split(mine, ';')) {
    const std::string_view name = parameter.substr(0, parameter.find('='));
    const auto value = FindParameter(parameter, name);
    const auto counterpart = FindParameter(other, name);
    if (counterpart) {
      if (!SameText(*value, *counterpart, /*folds_case=*/true)) return false;
      continue;
    }
    for (const std::string_view strict : {"user", "ttl", "method", "maddr", "transport"}) {
      if (EqualsIgnoreCase(name, strict)) return false;
    }
  }
  return true;
}

bool SameHeaders(std::string_view a, std::string_view b) {
  std::vector<std::string_view> left = Split(a, '&');
  std::vector<std::string_view> right = Split(b, '&');
  const auto same = [](std::string_view x, std::string_view y) { return SameText(x, y, true); };
  return left.size() == right.size() &&
         std::is_permutation(left.begin(), left.end(), right.begin(), same);
}

}  // namespace

absl::StatusOr<SipUri> SipUri::Parse(std::string_view text) {
  if (text.size() > kMaxTextBytes) return Malformed();
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !absl::ascii_isalpha(text[0])) {
    return Malformed();
  }
  SipUri uri;
  uri.text_ = text;
  uri.scheme_ = text.substr(0, colon);
  absl::AsciiStrToLower(&uri.scheme_);
  if (!std::all_of(uri.scheme_.begin(), uri.scheme_.end(), [](char c) {
        return absl::ascii_isalnum(c) || c == '+' || c == '-' || c == '.';
      })) {
    return Malformed();
  }
  const size_t rest = colon + 1;
  absl::Status status;
  if (uri.is_sip_or_sips()) {
    status = uri.ParseSip(rest);
  } else if (uri.is_tel()) {
    status = uri.ParseTel(rest);
  } else {
    status = uri.ParseOpaque(rest);
  }
  if (!status.ok()) return status;
  return uri;
}

SipUri::Range SipUri::RangeOf(size_t begin, size_t end) {
  return {static_cast<uint32_t>(begin), static_cast<uint32_t>(end - begin)};
}

absl::Status SipUri::ParseSip(size_t after_scheme) {
  const std::string_view text = text_;
  size_t host_begin = after_scheme;
  // RFC 4475 3.1.1.9: the user part may hold `;`, `?` and `/`, so it is cut off first.
  if (const size_t at = text.find('@', after_scheme); at != std::string_view::npos) {
    const size_t colon = std::min(text.find(':', after_scheme), at);
    user_ = RangeOf(after_scheme, colon);
    if (colon < at) password_ = RangeOf(colon + 1, at);
    if (user_.size == 0 || !IsMadeOf(user(), kUserChars) || !IsMadeOf(password(), kPasswordChars)) {
      return Malformed();
    }
    host_begin = at + 1;
  }
  const size_t headers_at = std::min(text.find('?', host_begin), text.size());
  const size_t parameters_at = std::min(text.find(';', host_begin), headers_at);
  parameters_ = RangeOf(parameters_at, headers_at);
  if (headers_at < text.size()) {
    headers_ = RangeOf(headers_at + 1, text.size());
    if (headers_.size == 0) return Malformed();
  }
  if (!AreUriParameters(parameters()) || !IsMadeOf(headers(), kHeaderChars)) return Malformed();
  return ParseHostPort(host_begin, parameters_at);
}

absl::Status SipUri::ParseHostPort(size_t begin, size_t end) {
  const std::string_view text = std::string_view(text_).substr(0, end);
  size_t host_end = 0;
  if (begin < end && text[begin] == '[') {
    host_end = text.find(']', begin);
    if (host_end == std::string_view::npos) return Malformed();
    host_ = RangeOf(begin + 1, host_end);
    is_ipv6_ = true;
    if (!IsAddress(AF_INET6, host())) return Malformed();
    ++host_end;
  } else {
    host_end = std::min(text.find(':', begin), end);
    host_ = RangeOf(begin, host_end);
    if (!IsHost(host())) return Malformed();
  }
  if (host_end == end) return absl::OkStatus();
  const char* const digits = text.data() + host_end + 1;
  const auto [stop, error] = std::from_chars(digits, text.data() + end, port_);
  if (text[host_end] != ':' || error != std::errc() || stop != text.data() + end || port_ == 0) {
    return Malformed();
  }
  return absl::OkStatus();
}

// RFC 3966 3: a number with visual separators, then parameters.
absl::Status SipUri::ParseTel(size_t after_scheme) {
  const std::string_view text = text_;
  const size_t end = std::min(text.find(';', after_scheme), text.size());
  user_ = RangeOf(after_scheme, end);
  parameters_ = RangeOf(end, text.size());
  std::string_view number = user();
  const bool is_global = number.starts_with('+');
  if (is_global) number.remove_prefix(1);
  const std::string_view digits = is_global ? "0123456789" : "0123456789abcdefABCDEF*#";
  const bool has_digit = number.find_first_of(digits) != std::string_view::npos;
  const bool is_clean = std::all_of(number.begin(), number.end(), [&](char c) {
    return digits.find(c) != std::string_view::npos || c == '-' || c == '.' || c == '(' || c == ')';
  });
  if (!has_digit || !is_clean || !AreUriParameters(parameters())) return Malformed();
  return absl::OkStatus();
}

absl::Status SipUri::ParseOpaque(size_t after_scheme) {
  user_ = RangeOf(after_scheme, text_.size());
  const std::string_view opaque = user();
  const bool is_clean = std::all_of(opaque.begin(), opaque.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '<' && c != '>' && c != '"';
  });
  if (opaque.empty() || !is_clean) return Malformed();
  return absl::OkStatus();
}

bool SipUri::IsEquivalentTo(const SipUri& other) const {
  if (!is_sip_or_sips()) return text_ == other.text_;
  return scheme_ == other.scheme_ && SameText(user(), other.user(), false) &&
         SameText(password(), other.password(), false) && EqualsIgnoreCase(host(), other.host()) &&
         port_ == other.port_ && ParametersAllow(parameters(), other.parameters()) &&
         ParametersAllow(other.parameters(), parameters()) &&
         SameHeaders(headers(), other.headers());
}

}  // namespace presence::sip
