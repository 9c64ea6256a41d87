#include "sip-gateway/locating/ip_literal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace presence::sip {
namespace {

std::string Spelled(std::string_view text) {
  const auto ip = IpLiteral::Parse(text);
  return ip ? ip->text() : "none";
}

TEST(IpLiteralTest, SpellsEveryAddressInOneWay) {
  EXPECT_EQ(Spelled("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(Spelled("[2001:DB8:0:0::1]"), "2001:db8::1");
  EXPECT_EQ(Spelled("2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(Spelled("::ffff:192.0.2.1"), "192.0.2.1") << "mapped IPv4 is IPv4";
}

TEST(IpLiteralTest, TakesNothingThatIsOnlyAlmostAnAddress) {
  for (const char* text :
       {"", "127.1", "1.2.3", "01.2.3.4.5", "1.2.3.256", "[192.0.2.1]", "[::1", "::1]", "[]",
        "fe80::1%eth0", "1.2.3.4 ", "example.com", ":::", "1:2:3:4:5:6:7:8:9"}) {
    EXPECT_EQ(Spelled(text), "none") << text;
  }
  EXPECT_EQ(Spelled(std::string("1.2.3.4\0x", 9)), "none");
  EXPECT_EQ(Spelled(std::string(1000, '1')), "none");
}

TEST(IpLiteralTest, KnowsWhatIsNotTheAddressOfOneHost) {
  for (const char* text : {"0.0.0.0", "0.1.2.3", "224.0.1.75", "239.255.255.1", "255.255.255.255",
                           "240.0.0.1", "::", "ff02::1", "::ffff:224.0.0.1"}) {
    EXPECT_FALSE(IpLiteral::Parse(text)->is_unicast()) << text;
  }
  for (const char* text : {"127.0.0.1", "10.0.0.1", "223.255.255.254", "::1", "fe80::1"}) {
    EXPECT_TRUE(IpLiteral::Parse(text)->is_unicast()) << text;
  }
}

TEST(IpLiteralTest, TakesHostNamesByTheGrammarOfSip) {
  for (const char* name : {"example.com", "example.com.", "localhost", "a", "3com.com",
                           "my_phone.example.com", "xn--bcher-kva.example", "x-1.y"}) {
    EXPECT_TRUE(IsHostName(name)) << name;
  }
  for (const char* name : {"", ".", "a..b", ".a", "a..", "1.2.3", "host.4", "a b", "a\\b", "a:5060",
                           "b\xC3\xBC"
                           "cher.example",
                           "a/b", "a@b", "*"}) {
    EXPECT_FALSE(IsHostName(name)) << name;
  }
}

TEST(IpLiteralTest, BoundsLabelsAndNames) {
  EXPECT_TRUE(IsDnsName(std::string(63, 'a')));
  EXPECT_FALSE(IsDnsName(std::string(64, 'a')));
  std::string name;
  while (name.size() < 253) name += "a.";
  name.resize(253);
  EXPECT_TRUE(IsDnsName(name));
  EXPECT_FALSE(IsDnsName(name + "a"));
}

TEST(IpLiteralTest, MakesEqualWhatIsTheSameNameForTheDns) {
  EXPECT_EQ(CanonicalName("Example.COM."), "example.com");
  EXPECT_EQ(CanonicalName("example.com"), "example.com");
}

}  // namespace
}  // namespace presence::sip
