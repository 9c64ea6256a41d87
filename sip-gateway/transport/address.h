#ifndef PRESENCE_SIP_GATEWAY_TRANSPORT_ADDRESS_H_
#define PRESENCE_SIP_GATEWAY_TRANSPORT_ADDRESS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

struct sockaddr;
struct sockaddr_storage;

namespace presence::sip {

enum class Protocol : uint8_t { kUdp, kTcp };

// The sent-protocol token of a Via: "UDP" or "TCP".
std::string_view ProtocolToken(Protocol protocol);
// RFC 3261 §17: a reliable transport needs no retransmission.
constexpr bool IsReliable(Protocol protocol) { return protocol != Protocol::kUdp; }
// RFC 3261 §18.1.1: what a sent-by without a port means.
inline constexpr uint16_t kDefaultSipPort = 5060;

// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address is the IPv4 address, so that one host has
// one value.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0

  // Reads "192.0.2.1", "2001:db8::1", "[2001:db8::1]" or "fe80::1%2". Nothing for anything else,
  // names included.
  static std::optional<IpAddress> Parse(std::string_view text);

  bool is_v6() const { return is_v6_; }
  bool is_loopback() const;
  bool is_multicast() const;
  // 0.0.0.0 or ::, which listens on every interface and is nobody's address.
  bool is_wildcard() const;
  // IPv4 sits in the last four bytes, after ::ffff.
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }

  // Without brackets, as in a `received` parameter: RFC 3261 §25.1, IPv6address.
  std::string ToString() const;
  // With brackets around IPv6, as in a sent-by or a URI: RFC 3261 §25.1, IPv6reference.
  std::string ToHost() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const IpAddress& a) {
    return H::combine(std::move(h), a.bytes_, a.scope_);
  }

 private:
  friend class SocketAddress;
  std::array<uint8_t, 16> bytes_{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
  uint32_t scope_ = 0;  // interface of a link-local address
  bool is_v6_ = false;
};

// An address and a port.
class SocketAddress {
 public:
  SocketAddress() = default;
  SocketAddress(IpAddress ip, uint16_t port) : ip_(ip), port_(port) {}

  // Reads "192.0.2.1:5060" or "[::1]:5060"; the port must be there.
  static std::optional<SocketAddress> Parse(std::string_view text);
  static SocketAddress FromSockaddr(const sockaddr_storage& storage);
  // Fills `storage`; returns the length the system calls want.
  uint32_t ToSockaddr(sockaddr_storage& storage) const;

  const IpAddress& ip() const { return ip_; }
  uint16_t port() const { return port_; }
  std::string ToString() const;

  friend bool operator==(const SocketAddress&, const SocketAddress&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const SocketAddress& a) {
    return H::combine(std::move(h), a.ip_, a.port_);
  }

 private:
  IpAddress ip_;
  uint16_t port_ = 0;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSPORT_ADDRESS_H_
