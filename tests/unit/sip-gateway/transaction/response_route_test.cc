#include "sip-gateway/transaction/response_route.h"

#include <gtest/gtest.h>

#include "tests/unit/sip-gateway/transaction/messages.h"

namespace presence::sip {
namespace {

Via ViaOf(std::string_view text) { return ParseTopVia(text).value(); }

std::string RemoteOf(const Source& source, std::string_view via) {
  return ResponseRoute(source, ViaOf(via)).remote.ToString();
}

// RFC 3581 §4.
TEST(ResponseRouteTest, GoesToTheSourcePortIfRportWasAskedFor) {
  EXPECT_EQ(
      RemoteOf(UdpSource("198.51.100.7:31000"), "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1;rport"),
      "198.51.100.7:31000");
}

// RFC 3261 §18.2.2, third item.
TEST(ResponseRouteTest, GoesToTheSentByPortOtherwise) {
  EXPECT_EQ(RemoteOf(UdpSource("198.51.100.7:31000"), "SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1"),
            "198.51.100.7:5070");
  EXPECT_EQ(RemoteOf(UdpSource("198.51.100.7:31000"), "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1"),
            "198.51.100.7:5060");
  EXPECT_EQ(
      RemoteOf(UdpSource("[2001:db8::7]:31000"), "SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bK1"),
      "[2001:db8::7]:5070");
}

// RFC 3261 §18.2.2, second item.
TEST(ResponseRouteTest, GoesToAUnicastMaddr) {
  const Source source = UdpSource("198.51.100.7:31000");
  EXPECT_EQ(
      RemoteOf(source, "SIP/2.0/UDP h.example.com:5070;maddr=192.0.2.33;rport;branch=z9hG4bK1"),
      "192.0.2.33:5070");
  // A group, a name or another address family is passed over.
  EXPECT_EQ(RemoteOf(source, "SIP/2.0/UDP h:5070;maddr=224.0.1.75;branch=z9hG4bK1"),
            "198.51.100.7:5070");
  EXPECT_EQ(RemoteOf(source, "SIP/2.0/UDP h:5070;maddr=other.example.com;branch=z9hG4bK1"),
            "198.51.100.7:5070");
}

TEST(ResponseRouteTest, LeavesFromTheListenerThatTheRequestCameInBy) {
  Source source = UdpSource();
  source.listener = 3;

  EXPECT_EQ(ResponseRoute(source, ViaOf("SIP/2.0/UDP h;branch=z9hG4bK1")).listener, 3);
}

// RFC 3261 §18.2.2, first item.
TEST(ResponseRouteTest, TakesTheConnectionAndElseTheSentByPort) {
  const NextHop hop =
      ResponseRoute(TcpSource(9), ViaOf("SIP/2.0/TCP h.example.com:5070;branch=z9hG4bK1"));

  EXPECT_EQ(hop.protocol, Protocol::kTcp);
  EXPECT_EQ(hop.flow, 9u);
  EXPECT_TRUE(hop.is_answer);
  EXPECT_TRUE(hop.may_connect);
  EXPECT_EQ(hop.remote.ToString(), "192.0.2.9:5070");
}

// RFC 3261 §18.2.1.
TEST(ViaMarkTest, NamesTheSourceWhenTheSentByIsAnother) {
  const Source source = UdpSource("192.0.2.9:5062");

  EXPECT_EQ(MarkVia(source, ViaOf("SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bK1")).received,
            "192.0.2.9");
  EXPECT_EQ(MarkVia(source, ViaOf("SIP/2.0/UDP phone.example.com;branch=z9hG4bK1")).received,
            "192.0.2.9");
  EXPECT_EQ(MarkVia(source, ViaOf("SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bK1")).received, "");
}

// RFC 3581 §4.
TEST(ViaMarkTest, FillsRportAndThenAlwaysNamesTheSource) {
  const ViaMark mark = MarkVia(UdpSource("192.0.2.9:5062"),
                               ViaOf("SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bK1;rport"));

  EXPECT_EQ(mark.received, "192.0.2.9");
  EXPECT_EQ(mark.rport, 5062);
  EXPECT_EQ(MarkVia(UdpSource(), ViaOf("SIP/2.0/UDP h;branch=z9hG4bK1")).rport, std::nullopt);
}

TEST(ViaMarkTest, WritesAnIpv6SourceWithoutBrackets) {
  EXPECT_EQ(MarkVia(UdpSource("[2001:db8::9]:5062"),
                    ViaOf("SIP/2.0/UDP [2001:db8::1]:5062;branch=z9hG4bK1"))
                .received,
            "2001:db8::9");
  EXPECT_EQ(MarkVia(UdpSource("[2001:db8::9]:5062"),
                    ViaOf("SIP/2.0/UDP [2001:DB8:0::9]:5062;branch=z9hG4bK1"))
                .received,
            "");
}

}  // namespace
}  // namespace presence::sip
