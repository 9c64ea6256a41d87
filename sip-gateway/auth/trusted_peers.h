#ifndef PRESENCE_SIP_GATEWAY_AUTH_TRUSTED_PEERS_H_
#define PRESENCE_SIP_GATEWAY_AUTH_TRUSTED_PEERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "sip-gateway/transport/address.h"

namespace presence::sip {

// The addresses whose P-Asserted-Identity and Sender are believed: RFC 3325 calls them the trust
// domain. A value; constant after construction.
class TrustedPeers {
 public:
  // Trusts nobody.
  TrustedPeers() = default;

  // Reads networks such as "192.0.2.0/24" and "2001:db8::/32", or single addresses.
  // Errors: INVALID_ARGUMENT   names the text and what is wrong with it.
  static absl::StatusOr<TrustedPeers> Parse(absl::Span<const std::string> networks);

  bool Contains(const IpAddress& address) const;

 private:
  struct Network {
    IpAddress address;
    int bits;  // of the 128 of an IPv6 address; IPv4 sits in the last 32
  };
  std::vector<Network> networks_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_AUTH_TRUSTED_PEERS_H_
