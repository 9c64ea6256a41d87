#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sip-gateway/transport/transport_fixture.h"

namespace presence::sip {
namespace {

using testing::HasSubstr;

class ListenersTest : public TransportFixture {
 protected:
  std::unique_ptr<SocketTransport> OpenWith(std::vector<ListenerConfig> listeners) {
    TransportConfig config;
    config.listeners = std::move(listeners);
    auto opened = SocketTransport::Open(loop_, clock_, random_, config, sink_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  static ListenerConfig On(std::string_view bind, std::string host = "", uint16_t port = 0,
                           Protocol protocol = Protocol::kUdp) {
    return {.protocol = protocol,
            .bind = *SocketAddress::Parse(bind),
            .advertised_host = std::move(host),
            .advertised_port = port};
  }
};

TEST_F(ListenersTest, TellThePortThatTheSystemChose) {
  Open();

  for (const Listener& listener : transport_->listeners()) {
    EXPECT_NE(listener.local.port(), 0);
    EXPECT_EQ(listener.advertised_port, listener.local.port());
  }
}

// N09.
TEST_F(ListenersTest, PutIpv6InBracketsInTheirSentBy) {
  Open();

  EXPECT_EQ(transport_->listeners()[kUdp4].SentBy(),
            "127.0.0.1:" + std::to_string(Local(kUdp4).port()));
  EXPECT_EQ(transport_->listeners()[kTcp6].SentBy(),
            "[::1]:" + std::to_string(Local(kTcp6).port()));
}

TEST_F(ListenersTest, AdvertiseWhatTheOperatorSays) {
  const auto transport =
      OpenWith({On("127.0.0.1:0", "sip.example.com", 5060), On("[::1]:0", "2001:db8::1", 5070),
                On("127.0.0.1:0", "198.51.100.1")});

  EXPECT_EQ(transport->listeners()[0].SentBy(), "sip.example.com:5060");
  EXPECT_EQ(transport->listeners()[1].SentBy(), "[2001:db8::1]:5070");
  EXPECT_EQ(transport->listeners()[2].advertised_port, transport->listeners()[2].local.port());
}

TEST_F(ListenersTest, NeverAdvertiseAWildcard) {
  const auto transport = OpenWith({On("0.0.0.0:0"), On("[::]:0")});

  for (const Listener& listener : transport->listeners()) {
    const auto ip = IpAddress::Parse(listener.advertised_host);
    ASSERT_TRUE(ip);
    EXPECT_FALSE(ip->is_wildcard());
    EXPECT_EQ(ip->is_v6(), listener.local.ip().is_v6());
  }
}

TEST_F(ListenersTest, SayWhichOfThemCouldNotBeOpenedAndWhy) {
  Open();
  TransportConfig config;
  config.listeners = {On(Local(kUdp4).ToString())};
  const auto udp = SocketTransport::Open(loop_, clock_, random_, config, sink_);
  EXPECT_THAT(std::string(udp.status().message()),
              HasSubstr("udp:" + Local(kUdp4).ToString() + ": Address already in use"));

  config.listeners = {On(Local(kTcp4).ToString(), "", 0, Protocol::kTcp)};
  const auto tcp = SocketTransport::Open(loop_, clock_, random_, config, sink_);
  EXPECT_THAT(std::string(tcp.status().message()), HasSubstr("tcp:" + Local(kTcp4).ToString()));

  config.listeners.clear();
  EXPECT_FALSE(SocketTransport::Open(loop_, clock_, random_, config, sink_).ok());
}

TEST_F(ListenersTest, KnowTheirOwnAddresses) {
  const auto transport = OpenWith({On("127.0.0.1:0", "198.51.100.1", 5060)});
  const uint16_t port = transport->listeners()[0].local.port();
  const auto is_own = [&](std::string_view ip, uint16_t p) {
    return transport->IsOwnAddress(SocketAddress(*IpAddress::Parse(ip), p));
  };

  EXPECT_TRUE(is_own("127.0.0.1", port));
  EXPECT_TRUE(is_own("198.51.100.1", 5060));
  EXPECT_FALSE(is_own("127.0.0.1", static_cast<uint16_t>(port ^ 1)));
  EXPECT_FALSE(is_own("127.0.0.2", port));
  EXPECT_FALSE(is_own("198.51.100.1", port == 5061 ? 5062 : 5061));
  EXPECT_FALSE(is_own("::1", port));
}

TEST_F(ListenersTest, KnowEveryLocalAddressForAWildcard) {
  const auto transport = OpenWith({On("0.0.0.0:0")});
  const uint16_t port = transport->listeners()[0].local.port();

  EXPECT_TRUE(transport->IsOwnAddress(SocketAddress(*IpAddress::Parse("127.0.0.1"), port)));
  EXPECT_TRUE(transport->IsOwnAddress(SocketAddress(*IpAddress::Parse("127.1.2.3"), port)));
  EXPECT_TRUE(transport->IsOwnAddress(SocketAddress(*IpAddress::Parse("0.0.0.0"), port)));
  EXPECT_FALSE(transport->IsOwnAddress(SocketAddress(*IpAddress::Parse("203.0.113.77"), port)));
}

TEST_F(ListenersTest, AreChosenByProtocolAndFamilyAndAtTheSameAddressWherePossible) {
  const auto transport = OpenWith({On("127.0.0.1:0"), On("127.0.0.2:0"), On("[::1]:0"),
                                   On("127.0.0.1:0", "", 0, Protocol::kTcp),
                                   On("127.0.0.2:0", "", 0, Protocol::kTcp)});
  const auto chosen = [&](Protocol protocol, std::string_view remote, ListenerId wanted) -> int {
    const Listener* listener = transport->ListenerFor(
        {.protocol = protocol, .remote = *SocketAddress::Parse(remote), .listener = wanted});
    return listener == nullptr ? -1 : listener->id;
  };

  EXPECT_EQ(chosen(Protocol::kUdp, "127.0.0.9:1", kAnyListener), 0);
  EXPECT_EQ(chosen(Protocol::kUdp, "127.0.0.9:1", 1), 1);
  EXPECT_EQ(chosen(Protocol::kTcp, "127.0.0.9:1", 1), 4);  // N12: a long request of listener 1
  EXPECT_EQ(chosen(Protocol::kUdp, "[::1]:1", 1), 2);
  EXPECT_EQ(chosen(Protocol::kTcp, "[::1]:1", kAnyListener), -1);
}

}  // namespace
}  // namespace presence::sip
