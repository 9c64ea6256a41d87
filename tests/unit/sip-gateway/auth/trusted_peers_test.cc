#include "sip-gateway/auth/trusted_peers.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence::sip {
namespace {

bool IsTrusted(const std::vector<std::string>& networks, const char* address) {
  const absl::StatusOr<TrustedPeers> peers = TrustedPeers::Parse(networks);
  if (!peers.ok()) {
    ADD_FAILURE() << peers.status();
    return false;
  }
  return peers->Contains(*IpAddress::Parse(address));
}

// S15
TEST(TrustedPeersTest, TrustsNobodyUnlessTold) {
  EXPECT_FALSE(TrustedPeers().Contains(*IpAddress::Parse("127.0.0.1")));
}

TEST(TrustedPeersTest, TrustsTheAddressesOfANetwork) {
  EXPECT_TRUE(IsTrusted({"192.0.2.64/26"}, "192.0.2.64"));
  EXPECT_TRUE(IsTrusted({"192.0.2.64/26"}, "192.0.2.127"));
  EXPECT_FALSE(IsTrusted({"192.0.2.64/26"}, "192.0.2.128"));
  EXPECT_FALSE(IsTrusted({"192.0.2.64/26"}, "192.0.2.63"));
  EXPECT_TRUE(IsTrusted({"198.51.100.0/24", "10.0.0.0/8"}, "10.255.0.1"));
}

TEST(TrustedPeersTest, TrustsASingleAddress) {
  EXPECT_TRUE(IsTrusted({"192.0.2.7"}, "192.0.2.7"));
  EXPECT_FALSE(IsTrusted({"192.0.2.7"}, "192.0.2.6"));
  EXPECT_TRUE(IsTrusted({"2001:db8::7"}, "2001:db8::7"));
}

TEST(TrustedPeersTest, TrustsIpv6Networks) {
  EXPECT_TRUE(IsTrusted({"2001:db8:1::/47"}, "2001:db8:0:9::1"));
  EXPECT_FALSE(IsTrusted({"2001:db8:2::/47"}, "2001:db8:1::1"));
}

// An IPv4 address is kept as a mapped IPv6 one, which must not make it a member of an IPv6 network.
TEST(TrustedPeersTest, KeepsTheFamiliesApart) {
  EXPECT_TRUE(IsTrusted({"0.0.0.0/0"}, "203.0.113.9"));
  EXPECT_FALSE(IsTrusted({"0.0.0.0/0"}, "2001:db8::1"));
  EXPECT_TRUE(IsTrusted({"::/0"}, "2001:db8::1"));
  EXPECT_FALSE(IsTrusted({"::/0"}, "203.0.113.9"));
}

TEST(TrustedPeersTest, RefusesWhatIsNoNetworkAndNamesIt) {
  for (const char* text : {"", "example.com", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/",
                           "192.0.2/24", "2001:db8::/129", "192.0.2.0/24/8"}) {
    const absl::StatusOr<TrustedPeers> peers = TrustedPeers::Parse(std::vector<std::string>{text});
    ASSERT_FALSE(peers.ok()) << text;
    EXPECT_THAT(std::string(peers.status().message()), testing::HasSubstr(text));
  }
}

}  // namespace
}  // namespace presence::sip
