#ifndef PRESENCE_SIP_GATEWAY_LOCATING_IP_LITERAL_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_IP_LITERAL_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace presence::sip {

// A numeric address in the one spelling everybody here compares: that of inet_ntop, without
// brackets. An IPv4 address mapped into IPv6 is the IPv4 address it means. A value.
class IpLiteral {
 public:
  // Takes what stands in a URI or a configuration: dotted quad, IPv6 with or without brackets.
  // Nothing when it is anything else; an address with a zone is something else.
  static std::optional<IpLiteral> Parse(std::string_view text);
  static IpLiteral FromV4(const std::array<uint8_t, 4>& bytes);
  static IpLiteral FromV6(const std::array<uint8_t, 16>& bytes);

  const std::string& text() const { return text_; }
  bool is_v6() const { return is_v6_; }

  // False for what no single host has as its address: unspecified, multicast, broadcast. A message
  // sent there by somebody's Contact or DNS record would reach hosts that did not ask for it.
  bool is_unicast() const { return is_unicast_; }

  friend bool operator==(const IpLiteral&, const IpLiteral&) = default;

 private:
  IpLiteral() = default;

  std::string text_;
  bool is_v6_ = false;
  bool is_unicast_ = false;
};

// True for what can be asked of the DNS: labels of letters, digits, hyphens and underscores, 63
// bytes a label and 253 in all, a dot at the end or not. The underscore is for SRV names and for
// the hosts of people who use it against RFC 3261 §25.1.
bool IsDnsName(std::string_view name);

// True for a DNS name that can stand as a host in a URI: its last label starts with a letter, which
// keeps "1.2.3" and "127.1" from being taken for names (RFC 3261 §25.1, toplabel).
bool IsHostName(std::string_view name);

// Lower case, without the dot at the end: names that are the same for the DNS become equal.
std::string CanonicalName(std::string_view name);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_IP_LITERAL_H_
