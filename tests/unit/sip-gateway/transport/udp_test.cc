#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/sip-gateway/transport/transport_fixture.h"

namespace presence::sip {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class UdpTest : public TransportFixture {
 protected:
  void SetUp() override { Open(); }
};

TEST_F(UdpTest, BringsADatagramWithWhereItCameFrom) {
  const Peer peer = Peer::Udp();

  peer.SendTo(Local(kUdp4), Request("one"));

  ASSERT_TRUE(RunUntil([&] { return sink_.messages.size() == 1; }));
  const Source& source = sink_.messages[0].source;
  EXPECT_EQ(source.protocol, Protocol::kUdp);
  EXPECT_EQ(source.remote, peer.address());
  EXPECT_EQ(source.listener, kUdp4);
  EXPECT_EQ(source.flow, kNoFlow);
  EXPECT_EQ(source.arrived, clock_.Now());
  EXPECT_EQ(sink_.messages[0].bytes, Request("one"));
}

TEST_F(UdpTest, BringsADatagramOverIpv6) {
  const Peer peer = Peer::Udp(true);

  peer.SendTo(Local(kUdp6), Request("one"));

  ASSERT_TRUE(RunUntil([&] { return sink_.messages.size() == 1; }));
  EXPECT_EQ(sink_.messages[0].source.remote, peer.address());
  EXPECT_EQ(sink_.messages[0].source.listener, kUdp6);
}

TEST_F(UdpTest, ReadsAndWritesInBatches) {
  const Peer peer = Peer::Udp();
  // An answer to each, sent from inside the call.
  sink_.on_message = [this](const Source& source) {
    transport_->Send(To(Protocol::kUdp, source.remote), "answer");
  };
  for (int i = 0; i < 200; ++i) peer.SendTo(Local(kUdp4), Request("id" + std::to_string(i)));

  ASSERT_TRUE(RunUntil([&] { return transport_->stats().datagrams_out == 200; }));

  const TransportStats stats = transport_->stats();
  EXPECT_EQ(stats.datagrams_in, 200u);
  EXPECT_EQ(stats.receive_batches, 4u);  // 64 + 64 + 64 + 8
  EXPECT_EQ(stats.send_batches, 4u);
  int answers = 0;
  while (peer.Receive() == "answer") ++answers;
  EXPECT_EQ(answers, 200);
}

TEST_F(UdpTest, KeepsTheOrderAndTheBytesOfDatagrams) {
  const Peer peer = Peer::Udp();
  for (int i = 0; i < 150; ++i) {
    transport_->Send(To(Protocol::kUdp, peer.address()), std::string(static_cast<size_t>(i), 'x'));
  }

  transport_->Flush();

  for (size_t i = 0; i < 150; ++i) EXPECT_EQ(peer.Receive(), std::string(i, 'x'));
}

TEST_F(UdpTest, SendsFromTheListenerOfTheAddressFamily) {
  const Peer peer4 = Peer::Udp();
  const Peer peer6 = Peer::Udp(true);

  transport_->Send(To(Protocol::kUdp, peer4.address()), "four");
  transport_->Send(To(Protocol::kUdp, peer6.address()), "six");
  transport_->Flush();

  EXPECT_EQ(peer4.Receive(), "four");
  EXPECT_EQ(peer6.Receive(), "six");
}

// N12: never a cut datagram. What IP fragments and puts together again is whole.
TEST_F(UdpTest, CarriesTheLongestDatagramWhole) {
  const Peer peer = Peer::Udp();
  const std::string longest(65'507, 'x');

  transport_->Send(To(Protocol::kUdp, peer.address()), longest);
  transport_->Flush();

  EXPECT_EQ(peer.Receive(), longest);
}

TEST_F(UdpTest, RefusesWhatIsLongerThanADatagramAndSendsTheRest) {
  const Peer peer = Peer::Udp();

  transport_->Send(To(Protocol::kUdp, peer.address()), "before");
  transport_->Send(To(Protocol::kUdp, peer.address()), std::string(65'508, 'x'), 7);
  transport_->Send(To(Protocol::kUdp, peer.address()), "after");
  transport_->Flush();

  EXPECT_THAT(sink_.failed, ElementsAre(Pair(7u, SendFailure::kTooLong)));
  EXPECT_EQ(peer.Receive(), "before");
  EXPECT_EQ(peer.Receive(), "after");
}

TEST_F(UdpTest, RefusesAMessageItHasNoListenerFor) {
  TransportConfig config;
  config.listeners = {{.bind = *SocketAddress::Parse("127.0.0.1:0"), .advertised_host = ""}};
  const auto v4_only = *SocketTransport::Open(loop_, clock_, random_, config, sink_);

  v4_only->Send(To(Protocol::kUdp, *SocketAddress::Parse("[::1]:5060")), "x", 1);
  v4_only->Send(To(Protocol::kTcp, *SocketAddress::Parse("127.0.0.1:5060")), "x", 2);
  EXPECT_TRUE(sink_.failed.empty());  // never from inside Send()
  v4_only->Flush();

  EXPECT_THAT(sink_.failed,
              ElementsAre(Pair(1u, SendFailure::kNoListener), Pair(2u, SendFailure::kNoListener)));
}

TEST_F(UdpTest, SendsNothingToAGroupOrToNobodysAddress) {
  SendTag tag = 0;
  for (const char* remote : {"224.0.1.75:5060", "[ff02::1]:5060", "0.0.0.0:5060", "[::]:5060"}) {
    transport_->Send(To(Protocol::kUdp, *SocketAddress::Parse(remote)), "x", ++tag);
    transport_->Send(To(Protocol::kTcp, *SocketAddress::Parse(remote)), "x", ++tag);
  }
  transport_->Flush();

  ASSERT_EQ(sink_.failed.size(), 8u);
  for (const auto& [failed_tag, why] : sink_.failed) EXPECT_EQ(why, SendFailure::kUnreachable);
  EXPECT_EQ(transport_->stats().datagrams_out, 0u);
}

// RFC 3261 §18.4: an ICMP error reaches whoever waits for the answer.
TEST_F(UdpTest, ReportsAnIcmpErrorWithWhatItQuotes) {
  Peer peer = Peer::Udp();
  const SocketAddress gone = peer.address();
  peer.Close();

  transport_->Send(To(Protocol::kUdp, gone), Request("lost"));
  transport_->Flush();

  ASSERT_TRUE(RunUntil([&] { return !sink_.icmp_errors.empty(); }));
  EXPECT_EQ(sink_.icmp_errors[0].remote, gone);
  EXPECT_EQ(sink_.icmp_errors[0].why, SendFailure::kRefused);
  EXPECT_THAT(sink_.icmp_errors[0].quoted, HasSubstr("branch=z9hG4bKlost"));
}

TEST_F(UdpTest, ReportsAnIcmpErrorOverIpv6) {
  Peer peer = Peer::Udp(true);
  const SocketAddress gone = peer.address();
  peer.Close();

  transport_->Send(To(Protocol::kUdp, gone), Request("lost"));
  transport_->Flush();

  ASSERT_TRUE(RunUntil([&] { return !sink_.icmp_errors.empty(); }));
  EXPECT_EQ(sink_.icmp_errors[0].remote, gone);
  EXPECT_THAT(sink_.icmp_errors[0].quoted, HasSubstr("branch=z9hG4bKlost"));
}

// An error to one peer comes up at whatever the socket does next; it must not cost another peer its
// message.
TEST_F(UdpTest, LosesNothingToOthersWhenOnePeerIsGone) {
  Peer dead = Peer::Udp();
  const SocketAddress gone = dead.address();
  dead.Close();
  const Peer alive = Peer::Udp();

  for (int i = 0; i < 100; ++i) {
    transport_->Send(To(Protocol::kUdp, gone), "to nobody", 1);
    transport_->Send(To(Protocol::kUdp, alive.address()), std::to_string(i), 2);
    if (i % 7 == 0) transport_->Flush();
  }
  transport_->Flush();
  Settle();

  for (int i = 0; i < 100; ++i) ASSERT_EQ(alive.Receive(), std::to_string(i));
  EXPECT_TRUE(sink_.failed.empty());
  alive.SendTo(Local(kUdp4), Request("still"));
  EXPECT_TRUE(RunUntil([&] { return sink_.messages.size() == 1; }));
}

TEST_F(UdpTest, DropsAKeepAliveAndReportsRubbish) {
  const Peer peer = Peer::Udp();

  peer.SendTo(Local(kUdp4), "\r\n\r\n");
  peer.SendTo(Local(kUdp4), "");
  peer.SendTo(Local(kUdp4), "rubbish");
  peer.SendTo(Local(kUdp4), Request("ok"));

  ASSERT_TRUE(RunUntil([&] { return sink_.messages.size() == 1; }));
  EXPECT_EQ(transport_->stats().keepalives, 2u);  // an empty datagram keeps a NAT open as well
  EXPECT_FALSE(sink_.refused.empty());
  for (const auto& refused : sink_.refused) EXPECT_FALSE(refused.is_answerable);
  EXPECT_EQ(peer.Receive(), std::nullopt);
}

// P18: RFC 3261 §18.3.
TEST_F(UdpTest, ReportsABodyShorterThanItsContentLengthAsAnswerable) {
  const Peer peer = Peer::Udp();
  const std::string request = Request("cut", "0123456789");

  peer.SendTo(Local(kUdp4), request.substr(0, request.size() - 1));

  ASSERT_TRUE(RunUntil([&] { return sink_.refused.size() == 1; }));
  EXPECT_EQ(sink_.refused[0].status, 400);
  EXPECT_TRUE(sink_.refused[0].is_answerable);
}

TEST_F(UdpTest, RefusesWhatItsQueueHasNoRoomFor) {
  TransportConfig config;
  config.listeners = {{.bind = *SocketAddress::Parse("127.0.0.1:0"), .advertised_host = ""}};
  config.max_datagram_queue = 3;
  const auto small = *SocketTransport::Open(loop_, clock_, random_, config, sink_);
  const Peer peer = Peer::Udp();

  for (SendTag tag = 1; tag <= 5; ++tag) small->Send(To(Protocol::kUdp, peer.address()), "x", tag);
  small->Flush();
  EXPECT_THAT(sink_.failed,
              ElementsAre(Pair(4u, SendFailure::kOverload), Pair(5u, SendFailure::kOverload)));

  small->Send(To(Protocol::kUdp, peer.address()), "x", 6);
  small->Flush();
  EXPECT_EQ(sink_.failed.size(), 2u);
  EXPECT_EQ(small->stats().datagrams_out, 4u);
}

TEST_F(UdpTest, ReadsNothingMoreOnceToldToStop) {
  const Peer peer = Peer::Udp();
  transport_->StopReceiving();

  peer.SendTo(Local(kUdp4), Request("late"));
  Settle();
  EXPECT_TRUE(sink_.messages.empty());

  transport_->Send(To(Protocol::kUdp, peer.address()), "goodbye");
  transport_->Flush();
  EXPECT_EQ(peer.Receive(), "goodbye");
}

}  // namespace
}  // namespace presence::sip
