#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/sip-gateway/transport/transport_fixture.h"

namespace presence::sip {
namespace {

using testing::ElementsAre;
using testing::Pair;

// The limits and deadlines of TransportConfig: each has a test that goes past it (SEC7).
class TcpLimitsTest : public TransportFixture {
 protected:
  bool IsClosed(const Peer& peer) {
    std::string bytes;
    return RunUntil([&] { return peer.ReadInto(bytes); });
  }
  bool IsStillOpen(const Peer& peer) {
    Settle();
    std::string bytes;
    return !peer.ReadInto(bytes);
  }
};

TEST_F(TcpLimitsTest, AcceptsSoManyConnectionsFromOneSourceAndNoMore) {
  Open();  // 200, as in production
  std::vector<Peer> peers;
  for (int i = 0; i < 200; ++i) peers.push_back(Peer::ConnectedTo(Local(kTcp4)));
  ASSERT_TRUE(RunUntil([&] { return transport_->stats().open_connections == 200; }));

  const Peer one_more = Peer::ConnectedTo(Local(kTcp4));
  EXPECT_TRUE(IsClosed(one_more));
  EXPECT_EQ(transport_->stats().connections_refused, 1u);

  // Another source is served, and so is this one when it has hung up.
  const Peer other = Peer::ConnectedTo(Local(kTcp6));
  other.Write(Request("other"));
  EXPECT_TRUE(RunUntil([&] { return sink_.messages.size() == 1; }));
  peers.pop_back();
  ASSERT_TRUE(RunUntil([&] { return transport_->stats().open_connections == 200; }));
  const Peer again = Peer::ConnectedTo(Local(kTcp4));
  again.Write(Request("again"));
  EXPECT_TRUE(RunUntil([&] { return sink_.messages.size() == 2; }));
}

TEST_F(TcpLimitsTest, HoldsSoManyConnectionsInAllAndNoMore) {
  TransportConfig config;
  config.max_connections = 3;
  Open(config);
  const Peer a = Peer::ConnectedTo(Local(kTcp4));
  const Peer b = Peer::ConnectedTo(Local(kTcp4));
  const Peer c = Peer::ConnectedTo(Local(kTcp6));
  ASSERT_TRUE(RunUntil([&] { return transport_->stats().open_connections == 3; }));

  EXPECT_TRUE(IsClosed(Peer::ConnectedTo(Local(kTcp6))));

  // Connections of our own count too.
  const Peer server = Peer::Listening();
  EXPECT_EQ(transport_->Send(To(Protocol::kTcp, server.address()), "x", 7), kNoFlow);
  transport_->Flush();
  EXPECT_THAT(sink_.failed, ElementsAre(Pair(7u, SendFailure::kOverload)));
}

// Slow loris: half a header, and then a byte now and then.
TEST_F(TcpLimitsTest, ClosesWhoDoesNotFinishAMessageInTime) {
  Open();
  const Peer slow = Peer::ConnectedTo(Local(kTcp4));
  slow.Write("PUBLISH sip:alice@example.com SIP/2.0\r\nVia: ");
  ASSERT_TRUE(RunUntil([&] { return transport_->stats().open_connections == 1; }));
  Settle();

  for (int second = 1; second < 10; ++second) {
    Pass(absl::Seconds(1));
    slow.Write("x");
    Settle();
  }
  EXPECT_TRUE(IsStillOpen(slow));

  Pass(absl::Seconds(1.1));
  EXPECT_TRUE(IsClosed(slow));
  EXPECT_EQ(transport_->stats().connections_timed_out, 1u);
}

TEST_F(TcpLimitsTest, GivesEachMessageADeadlineOfItsOwn) {
  Open();
  auto [peer, flow] = Connect();
  const std::string request = Request("next");

  // Every read ends in the middle of a message, yet each message is done within ten seconds.
  for (int i = 0; i < 5; ++i) {
    peer.Write(request.substr(0, 20));
    Settle();
    Pass(absl::Seconds(6));
    peer.Write(request.substr(20));
    Settle();
  }

  EXPECT_EQ(sink_.messages.size(), 6u);
  EXPECT_TRUE(transport_->IsOpen(flow));
}

TEST_F(TcpLimitsTest, ClosesAConnectionThatNeverSaysAnything) {
  Open();
  const Peer mute = Peer::ConnectedTo(Local(kTcp4));
  ASSERT_TRUE(RunUntil([&] { return transport_->stats().open_connections == 1; }));

  Pass(absl::Seconds(29));
  EXPECT_TRUE(IsStillOpen(mute));

  Pass(absl::Seconds(1.1));
  EXPECT_TRUE(IsClosed(mute));
}

TEST_F(TcpLimitsTest, ClosesAnIdleConnectionAndTakesAKeepAliveForALifeSign) {
  Open();
  auto [peer, flow] = Connect();

  Pass(absl::Minutes(14));
  peer.Write("\r\n\r\n");
  ASSERT_TRUE(RunUntil([&] { return transport_->stats().keepalives == 1; }));
  Pass(absl::Minutes(14));
  EXPECT_TRUE(transport_->IsOpen(flow));

  Pass(absl::Minutes(1.1));
  EXPECT_FALSE(transport_->IsOpen(flow));
  EXPECT_THAT(sink_.closed, ElementsAre(Pair(flow, SendFailure::kClosed)));
}

TEST_F(TcpLimitsTest, GivesUpAConnectionThatIsNotAnsweredInTime) {
  Open();
  // A listener whose queue is full drops further handshakes: what connects to it stays half open.
  const Peer full = Peer::Listening(false, 0);
  std::vector<Peer> queue;
  for (int i = 0; i < 4; ++i) queue.push_back(Peer::ConnectingTo(full.address()));
  const FlowId flow = transport_->Send(To(Protocol::kTcp, full.address()), "x");

  Pass(absl::Seconds(3.9));
  EXPECT_TRUE(transport_->IsOpen(flow));

  Pass(absl::Seconds(0.2));
  EXPECT_FALSE(transport_->IsOpen(flow));
  EXPECT_THAT(sink_.closed, ElementsAre(Pair(flow, SendFailure::kTimedOut)));
}

// A slow watcher (R15): what waits for it is bounded, and it is given up when it takes nothing at
// all.
TEST_F(TcpLimitsTest, BoundsWhatWaitsForAPeerThatDoesNotRead) {
  Open();
  auto [peer, flow] = Connect();
  peer.ShrinkReceiveBuffer();
  const std::string notify(16'000, 'x');

  SendTag tag = 0;
  while (sink_.failed.empty() && tag < 10'000) {
    transport_->Send(OnFlow(flow), notify, ++tag);
    transport_->Flush();
  }

  ASSERT_EQ(sink_.failed.size(), 1u);
  EXPECT_EQ(sink_.failed[0].second, SendFailure::kOverload);
  // The kernel's buffer, and a megabyte of ours.
  EXPECT_GE(tag * notify.size(), 1u << 20);
  EXPECT_TRUE(transport_->IsOpen(flow));

  Pass(absl::Seconds(20.1));
  EXPECT_FALSE(transport_->IsOpen(flow));
  EXPECT_THAT(sink_.closed, ElementsAre(Pair(flow, SendFailure::kClosed)));
}

TEST_F(TcpLimitsTest, SendsEverythingToAPeerThatReadsLate) {
  TransportConfig config;
  config.max_write_queue = 64 << 20;
  Open(config);
  auto [peer, flow] = Connect();
  // More than the kernel's buffers of both ends hold, so that most of it waits here.
  const std::string notify(16'000, 'x');
  const size_t count = 1'500;
  for (size_t i = 0; i < count; ++i) {
    transport_->Send(OnFlow(flow), notify);
    transport_->Flush();
  }

  size_t size = 0;
  EXPECT_TRUE(RunUntil([&, &connection = peer] {
    std::string bytes;
    connection.ReadInto(bytes);
    return (size += bytes.size()) == count * notify.size();
  }));
}

TEST_F(TcpLimitsTest, WaitsAWhileForTheAnswersOwedToAPeerThatHasFinished) {
  Open();
  auto [peer, flow] = Connect();
  peer.ShutWriting();
  ASSERT_TRUE(RunUntil([&] { return !sink_.closed.empty(); }));

  Pass(absl::Seconds(9));
  EXPECT_EQ(transport_->stats().open_connections, 1u);

  Pass(absl::Seconds(1.1));
  EXPECT_EQ(transport_->stats().open_connections, 0u);
}

TEST_F(TcpLimitsTest, DoesNotWaitForeverForAPeerToCloseItsEnd) {
  Open();
  auto [peer, flow] = Connect();
  transport_->Close(flow);
  Settle();
  EXPECT_EQ(transport_->stats().open_connections, 1u);  // lingering

  Pass(absl::Seconds(2.1));
  EXPECT_EQ(transport_->stats().open_connections, 0u);
}

TEST_F(TcpLimitsTest, RefusesAMessageOfMoreThanSixtyFourKilobytes) {
  Open();
  const Peer peer = Peer::ConnectedTo(Local(kTcp4));
  std::string request = Request("huge");
  request.replace(request.find("Content-Length: 0"), 17, "Content-Length: 70000");

  peer.Write(request);

  ASSERT_TRUE(RunUntil([&] { return sink_.refused.size() == 1; }));
  EXPECT_EQ(sink_.refused[0].status, 513);  // RFC 3261 §21.5.7
}

}  // namespace
}  // namespace presence::sip
