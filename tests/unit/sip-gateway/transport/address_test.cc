#include "sip-gateway/transport/address.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace presence::sip {
namespace {

TEST(IpAddressTest, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(IpAddress::Parse("192.0.2.1")->ToString(), "192.0.2.1");
  EXPECT_EQ(IpAddress::Parse("2001:DB8:0:0::1")->ToString(), "2001:db8::1");
  EXPECT_EQ(IpAddress::Parse("[2001:db8::1]")->ToString(), "2001:db8::1");
}

TEST(IpAddressTest, PutsOnlyIpv6InBracketsAsAHost) {
  EXPECT_EQ(IpAddress::Parse("192.0.2.1")->ToHost(), "192.0.2.1");
  EXPECT_EQ(IpAddress::Parse("2001:db8::1")->ToHost(), "[2001:db8::1]");
}

TEST(IpAddressTest, DoesNotTakeANameForAnAddress) {
  for (const char* text :
       {"", "example.com", "192.0.2", "192.0.2.256", "1.2.3.4.5", "[192.0.2.1]", "2001:db8", "::1%",
        "::1%eth0", "192.0.2.1%1", " 192.0.2.1", "[::1", "::1]"}) {
    EXPECT_FALSE(IpAddress::Parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::Parse(std::string(10'000, '1')));
  EXPECT_FALSE(IpAddress::Parse(std::string("127.0.0.1\0x", 11)));
}

TEST(IpAddressTest, TakesAMappedAddressForTheIpv4Address) {
  EXPECT_EQ(IpAddress::Parse("::ffff:192.0.2.1"), IpAddress::Parse("192.0.2.1"));
  EXPECT_FALSE(IpAddress::Parse("::ffff:192.0.2.1")->is_v6());
}

TEST(IpAddressTest, KnowsTheSpecialAddresses) {
  EXPECT_TRUE(IpAddress::Parse("127.8.0.1")->is_loopback());
  EXPECT_TRUE(IpAddress::Parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::Parse("::2")->is_loopback());
  EXPECT_TRUE(IpAddress::Parse("224.0.1.75")->is_multicast());
  EXPECT_TRUE(IpAddress::Parse("ff02::1")->is_multicast());
  EXPECT_FALSE(IpAddress::Parse("223.0.1.75")->is_multicast());
  EXPECT_TRUE(IpAddress::Parse("0.0.0.0")->is_wildcard());
  EXPECT_TRUE(IpAddress::Parse("::")->is_wildcard());
  EXPECT_FALSE(IpAddress::Parse("0.0.0.1")->is_wildcard());
}

TEST(SocketAddressTest, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(SocketAddress::Parse("192.0.2.1:5060")->ToString(), "192.0.2.1:5060");
  EXPECT_EQ(SocketAddress::Parse("[2001:db8::1]:5060")->ToString(), "[2001:db8::1]:5060");
}

TEST(SocketAddressTest, WantsAPortAndBrackets) {
  for (const char* text : {"192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1",
                           "192.0.2.1:5060x", "2001:db8::1:5060", "[2001:db8::1]", ":5060", ""}) {
    EXPECT_FALSE(SocketAddress::Parse(text)) << text;
  }
}

TEST(SocketAddressTest, SurvivesTheWayThroughASockaddr) {
  for (const char* text : {"192.0.2.1:5060", "[2001:db8::1]:65535", "[fe80::1%3]:1"}) {
    const SocketAddress address = *SocketAddress::Parse(text);
    sockaddr_storage storage{};
    address.ToSockaddr(storage);
    EXPECT_EQ(SocketAddress::FromSockaddr(storage), address) << text;
  }
}

TEST(SocketAddressTest, TellsLinkLocalAddressesOfTwoInterfacesApart) {
  EXPECT_NE(SocketAddress::Parse("[fe80::1%2]:5060"), SocketAddress::Parse("[fe80::1%3]:5060"));
}

}  // namespace
}  // namespace presence::sip
