#include "sip-gateway/auth/trusted_peers.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace presence::sip {
namespace {

bool HasPrefix(const IpAddress& address, const IpAddress& network, int bits) {
  const int bytes = bits / 8;
  const auto& a = address.bytes();
  const auto& n = network.bytes();
  if (!std::equal(a.begin(), a.begin() + bytes, n.begin())) return false;
  if (bits % 8 == 0) return true;
  const int mask = 0xff00 >> (bits % 8);
  return ((a[bytes] ^ n[bytes]) & mask & 0xff) == 0;
}

}  // namespace

absl::StatusOr<TrustedPeers> TrustedPeers::Parse(absl::Span<const std::string> networks) {
  TrustedPeers peers;
  for (const std::string& text : networks) {
    const size_t slash = text.find('/');
    const std::optional<IpAddress> address = IpAddress::Parse(text.substr(0, slash));
    if (!address.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("trusted peer \"", text, "\": not an IP address or a network in CIDR form"));
    }
    const int width = address->is_v6() ? 128 : 32;
    int bits = width;
    if (slash != std::string::npos &&
        (!absl::SimpleAtoi(text.substr(slash + 1), &bits) || bits < 0 || bits > width)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "trusted peer \"", text, "\": the prefix length must be between 0 and ", width));
    }
    peers.networks_.push_back({*address, 128 - width + bits});
  }
  return peers;
}

bool TrustedPeers::Contains(const IpAddress& address) const {
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    // ::/0 is every IPv6 address and no IPv4 one, although those are kept as mapped addresses.
    return address.is_v6() == network.address.is_v6() &&
           HasPrefix(address, network.address, network.bits);
  });
}

}  // namespace presence::sip
