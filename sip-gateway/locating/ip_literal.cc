#include "sip-gateway/locating/ip_literal.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

#include "absl/strings/ascii.h"

namespace presence::sip {
namespace {

std::string_view WithoutRootDot(std::string_view name) {
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

}  // namespace

std::optional<IpLiteral> IpLiteral::Parse(std::string_view text) {
  const bool has_brackets = text.size() >= 2 && text.front() == '[' && text.back() == ']';
  if (has_brackets) text = text.substr(1, text.size() - 2);
  // inet_pton reads to the first NUL; what it would not see must not be accepted.
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string terminated(text);
  std::array<uint8_t, 4> v4;
  if (!has_brackets && inet_pton(AF_INET, terminated.c_str(), v4.data()) == 1) return FromV4(v4);
  std::array<uint8_t, 16> v6;
  if (inet_pton(AF_INET6, terminated.c_str(), v6.data()) == 1) return FromV6(v6);
  return std::nullopt;
}

IpLiteral IpLiteral::FromV4(const std::array<uint8_t, 4>& bytes) {
  char text[INET_ADDRSTRLEN];
  IpLiteral ip;
  ip.text_ = inet_ntop(AF_INET, bytes.data(), text, sizeof(text));
  // 0.0.0.0/8 is "this host"; from 224 on come multicast, reserved space and broadcast.
  ip.is_unicast_ = bytes[0] != 0 && bytes[0] < 224;
  return ip;
}

IpLiteral IpLiteral::FromV6(const std::array<uint8_t, 16>& bytes) {
  static constexpr std::array<uint8_t, 12> kMappedV4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMappedV4.begin(), kMappedV4.end(), bytes.begin())) {
    return FromV4({bytes[12], bytes[13], bytes[14], bytes[15]});
  }
  char text[INET6_ADDRSTRLEN];
  IpLiteral ip;
  ip.text_ = inet_ntop(AF_INET6, bytes.data(), text, sizeof(text));
  ip.is_v6_ = true;
  const bool is_unspecified = std::ranges::all_of(bytes, [](uint8_t b) { return b == 0; });
  ip.is_unicast_ = !is_unspecified && bytes[0] != 0xff;
  return ip;
}

bool IsDnsName(std::string_view name) {
  name = WithoutRootDot(name);
  if (name.empty() || name.size() > 253) return false;
  size_t label = 0;
  for (const char c : name) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
      continue;
    }
    const bool is_allowed =
        absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
    if (!is_allowed || ++label > 63) return false;
  }
  return label != 0;
}

bool IsHostName(std::string_view name) {
  if (!IsDnsName(name)) return false;
  name = WithoutRootDot(name);
  const size_t dot = name.rfind('.');
  const char first = dot == std::string_view::npos ? name.front() : name[dot + 1];
  return absl::ascii_isalpha(static_cast<unsigned char>(first));
}

std::string CanonicalName(std::string_view name) {
  std::string canonical(WithoutRootDot(name));
  absl::AsciiStrToLower(&canonical);
  return canonical;
}

}  // namespace presence::sip
