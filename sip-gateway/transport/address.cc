#include "sip-gateway/transport/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace presence::sip {
namespace {

constexpr size_t kV4Offset = 12;
// The longest IPv6 address in text, with a scope; anything longer is none and is not copied.
constexpr size_t kMaxText = INET6_ADDRSTRLEN + 11;

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool IsV4Mapped(const std::array<uint8_t, 16>& bytes) {
  return std::all_of(bytes.begin(), bytes.begin() + 10, [](uint8_t b) { return b == 0; }) &&
         bytes[10] == 0xff && bytes[11] == 0xff;
}

}  // namespace

std::string_view ProtocolToken(Protocol protocol) {
  return protocol == Protocol::kUdp ? "UDP" : "TCP";
}

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (text.find(':') == std::string_view::npos) return std::nullopt;  // [192.0.2.1]
  }
  IpAddress address;
  if (const size_t percent = text.find('%'); percent != std::string_view::npos) {
    const auto scope = ParseNumber<uint32_t>(text.substr(percent + 1));
    if (!scope) return std::nullopt;
    address.scope_ = *scope;
    text = text.substr(0, percent);
  }
  if (text.empty() || text.size() > kMaxText) return std::nullopt;
  if (text.find('\0') != std::string_view::npos)
    return std::nullopt;  // would end the text for inet_pton
  char terminated[kMaxText + 1] = {};
  std::memcpy(terminated, text.data(), text.size());
  if (inet_pton(AF_INET, terminated, address.bytes_.data() + kV4Offset) == 1) {
    if (address.scope_ != 0) return std::nullopt;
    return address;
  }
  if (inet_pton(AF_INET6, terminated, address.bytes_.data()) != 1) return std::nullopt;
  address.is_v6_ = !IsV4Mapped(address.bytes_);
  if (!address.is_v6_) address.scope_ = 0;
  return address;
}

bool IpAddress::is_loopback() const {
  if (!is_v6_) return bytes_[kV4Offset] == 127;
  return std::all_of(bytes_.begin(), bytes_.end() - 1, [](uint8_t b) { return b == 0; }) &&
         bytes_[15] == 1;
}

bool IpAddress::is_multicast() const {
  return is_v6_ ? bytes_[0] == 0xff : (bytes_[kV4Offset] & 0xf0) == 0xe0;
}

bool IpAddress::is_wildcard() const {
  const auto begin = is_v6_ ? bytes_.begin() : bytes_.begin() + kV4Offset;
  return std::all_of(begin, bytes_.end(), [](uint8_t b) { return b == 0; });
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN] = {};
  const void* bytes = is_v6_ ? bytes_.data() : bytes_.data() + kV4Offset;
  inet_ntop(is_v6_ ? AF_INET6 : AF_INET, bytes, text, sizeof(text));
  return text;
}

std::string IpAddress::ToHost() const { return is_v6_ ? "[" + ToString() + "]" : ToString(); }

std::optional<SocketAddress> SocketAddress::Parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view host = text.substr(0, colon);
  // Without brackets the last colon may belong to the address: 2001:db8::1:5060 is ambiguous.
  if (host.find(':') != std::string_view::npos && host.front() != '[') return std::nullopt;
  const auto ip = IpAddress::Parse(host);
  const auto port = ParseNumber<uint16_t>(text.substr(colon + 1));
  if (!ip || !port) return std::nullopt;
  return SocketAddress(*ip, *port);
}

SocketAddress SocketAddress::FromSockaddr(const sockaddr_storage& storage) {
  SocketAddress address;
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage, sizeof(v4));
    std::memcpy(address.ip_.bytes_.data() + kV4Offset, &v4.sin_addr, 4);
    address.port_ = ntohs(v4.sin_port);
  } else if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &storage, sizeof(v6));
    std::memcpy(address.ip_.bytes_.data(), &v6.sin6_addr, 16);
    address.ip_.is_v6_ = !IsV4Mapped(address.ip_.bytes_);
    if (address.ip_.is_v6_) address.ip_.scope_ = v6.sin6_scope_id;
    address.port_ = ntohs(v6.sin6_port);
  }
  return address;
}

uint32_t SocketAddress::ToSockaddr(sockaddr_storage& storage) const {
  if (!ip_.is_v6()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port_);
    std::memcpy(&v4.sin_addr, ip_.bytes_.data() + kV4Offset, 4);
    std::memcpy(&storage, &v4, sizeof(v4));
    return sizeof(v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port_);
  v6.sin6_scope_id = ip_.scope_;
  std::memcpy(&v6.sin6_addr, ip_.bytes_.data(), 16);
  std::memcpy(&storage, &v6, sizeof(v6));
  return sizeof(v6);
}

std::string SocketAddress::ToString() const { return ip_.ToHost() + ":" + std::to_string(port_); }

}  // namespace presence::sip
