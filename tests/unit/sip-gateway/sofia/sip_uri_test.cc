#include "sip-gateway/sofia/sip_uri.h"

#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace presence::sip {
namespace {

SipUri Uri(std::string_view text) {
  absl::StatusOr<SipUri> uri = SipUri::Parse(text);
  EXPECT_TRUE(uri.ok()) << text;
  return *std::move(uri);
}

TEST(SipUriTest, ReadsEveryPartAsWritten) {
  const SipUri uri =
      Uri("SIPS:al%69ce:secret@Example.COM:5061;transport=TCP;lr;x=%41?subject=hi&a=b");

  EXPECT_EQ(uri.scheme(), "sips");
  EXPECT_EQ(uri.user(), "al%69ce");
  EXPECT_EQ(uri.password(), "secret");
  EXPECT_EQ(uri.host(), "Example.COM");
  EXPECT_EQ(uri.port(), 5061);
  EXPECT_EQ(uri.parameter("transport"), "TCP");
  EXPECT_TRUE(uri.has_parameter("LR"));
  EXPECT_FALSE(uri.has_parameter("maddr"));
  EXPECT_EQ(uri.parameters(), ";transport=TCP;lr;x=%41");
  EXPECT_EQ(uri.headers(), "subject=hi&a=b");
}

TEST(SipUriTest, ReadsAHostAlone) {
  const SipUri uri = Uri("sip:example.com");

  EXPECT_EQ(uri.user(), "");
  EXPECT_EQ(uri.host(), "example.com");
  EXPECT_EQ(uri.port(), 0);
}

// N09, S16
TEST(SipUriTest, ReadsIpv6AddressesWithoutTheirBrackets) {
  const SipUri uri = Uri("sip:alice@[2001:db8::10]:5070;transport=udp");

  EXPECT_EQ(uri.host(), "2001:db8::10");
  EXPECT_TRUE(uri.is_ipv6());
  EXPECT_EQ(uri.port(), 5070);
}

// RFC 4475 3.1.1.9, 3.1.1.2
TEST(SipUriTest, TakesSemicolonsAndMoreForPartOfTheUser) {
  EXPECT_EQ(Uri("sip:user;par=u%40example.net@example.com").user(), "user;par=u%40example.net");
  const SipUri odd =
      Uri("sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too."
          "(doesn't-it)@example.com");
  EXPECT_EQ(odd.user(), "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
  EXPECT_EQ(odd.host(), "example.com");
}

TEST(SipUriTest, ReadsTelephoneNumbers) {
  const SipUri uri = Uri("tel:+1-201-555-0123;phone-context=example.com");

  EXPECT_TRUE(uri.is_tel());
  EXPECT_EQ(uri.user(), "+1-201-555-0123");
  EXPECT_EQ(uri.parameter("phone-context"), "example.com");
  EXPECT_EQ(Uri("tel:7042;phone-context=x").user(), "7042");
  EXPECT_EQ(Uri("tel:*21#").user(), "*21#");
}

// RFC 4475 3.3.2, 3.3.3: these are for a 416, not for a 400.
TEST(SipUriTest, KnowsSchemeAndRestOfOtherUris) {
  EXPECT_EQ(Uri("nobodyKnowsThisScheme:totallyopaquecontent").scheme(), "nobodyknowsthisscheme");
  EXPECT_EQ(Uri("soap.beep://192.0.2.103:3002").user(), "//192.0.2.103:3002");
  EXPECT_EQ(Uri("pres:alice@example.com").host(), "");
}

TEST(SipUriTest, AcceptsHostsThatRealNetworksUse) {
  for (const std::string host :
       {"a", "example.com.", "my_service", "3f2a9c1b2d4e", "192.0.2.1", "xn--bcher-kva.de"}) {
    EXPECT_EQ(Uri("sip:" + host).host(), host);
  }
}

TEST(SipUriTest, RefusesNonsense) {
  for (const std::string text : {"",
                                 "sip",
                                 "sip:",
                                 ":a",
                                 "1sip:a",
                                 "sip:@a",
                                 "sip:a@",
                                 "sip:a@b@c",
                                 "sip:a b@c",
                                 "sip:a@b c",
                                 "<sip:a@b>",
                                 "sip:a@b:",
                                 "sip:a@b:0",
                                 "sip:a@b:65536",
                                 "sip:a@b:5060x",
                                 "sip:a@b:-1",
                                 "sip:a@[::1",
                                 "sip:a@[::g]",
                                 "sip:a@[::1]x",
                                 "sip:a@::1",
                                 "sip:a@b;",
                                 "sip:a@b;;lr",
                                 "sip:a@b;=x",
                                 "sip:a@b;x=",
                                 "sip:a@b;lr;x=1;LR",
                                 "sip:a@b;transport=udp;transport=tcp",
                                 "tel:+1;ext=1;ext=2",
                                 "sip:a@b?",
                                 "sip:%zz@b",
                                 "sip:a%4@b",
                                 "sip:a@b;x=%4",
                                 "sip:\xc3\xa9@b",
                                 "sip:a@-b",
                                 "sip:a@b-",
                                 "sip:a@b..c",
                                 "sip:a@.b",
                                 "sip:a@1.2.3",
                                 "sip:a@999",
                                 "sip:a@1.2.3.256",
                                 "sip:a@b/c",
                                 "sip:a@b#c",
                                 "sip:a\"@b",
                                 "tel:",
                                 "tel:+",
                                 "tel:abc-xyz",
                                 "tel:+1;",
                                 "mailto:",
                                 "x:a b",
                                 "x:<y>",
                                 "s*p:a@b"}) {
    EXPECT_FALSE(SipUri::Parse(text).ok()) << text;
  }
}

// RFC 4475 3.1.1.4
TEST(SipUriTest, KeepsEscapedNulsEscaped) {
  EXPECT_EQ(Uri("sip:null-%00-null@example.com").user(), "null-%00-null");
  EXPECT_FALSE(Uri("sip:%00@h").IsEquivalentTo(Uri("sip:%00%00@h")));
}

// The examples of RFC 3261 19.1.4.
TEST(SipUriTest, FindsTheRfcsEquivalentUrisEquivalent) {
  const std::pair<const char*, const char*> pairs[] = {
      {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"},
      {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
      {"sip:carol@chicago.com", "sip:carol@chicago.com;security=on"},
      {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
       "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"},
      {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
       "sip:alice@atlanta.com?priority=urgent&subject=project%20x"},
  };
  for (const auto& [a, b] : pairs) {
    EXPECT_TRUE(Uri(a).IsEquivalentTo(Uri(b))) << a << " " << b;
    EXPECT_TRUE(Uri(b).IsEquivalentTo(Uri(a))) << a << " " << b;
  }
}

TEST(SipUriTest, FindsTheRfcsDifferentUrisDifferent) {
  const std::pair<const char*, const char*> pairs[] = {
      {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"},
      {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
      {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
      {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"},
      {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"},
      {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"},
      {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"},
      {"sip:bob@biloxi.com", "sips:bob@biloxi.com"},
      {"sip:a%2Fb@x", "sip:a/b@x"},
      {"sip:a@x;maddr=1.2.3.4", "sip:a@x"},
  };
  for (const auto& [a, b] : pairs) {
    EXPECT_FALSE(Uri(a).IsEquivalentTo(Uri(b))) << a << " " << b;
    EXPECT_FALSE(Uri(b).IsEquivalentTo(Uri(a))) << a << " " << b;
  }
}

TEST(SipUriTest, KeepsItsPartsWhenCopiedAndMoved) {
  SipUri a = Uri("sip:a@b");
  const SipUri copy = a;
  const SipUri moved = std::move(a);

  EXPECT_EQ(copy.host(), "b");
  EXPECT_EQ(moved.user(), "a");
}

}  // namespace
}  // namespace presence::sip
