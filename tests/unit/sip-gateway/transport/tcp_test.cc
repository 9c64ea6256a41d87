#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sip-gateway/transport/transport_fixture.h"

namespace presence::sip {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class TcpTest : public TransportFixture {
 protected:
  void SetUp() override { Open(); }

  std::vector<std::string> Received() const {
    std::vector<std::string> bytes;
    for (const auto& message : sink_.messages) bytes.push_back(message.bytes);
    return bytes;
  }
};

TEST_F(TcpTest, BringsAMessageWithItsFlow) {
  const Peer peer = Peer::ConnectedTo(Local(kTcp4));

  peer.Write(Request("one"));

  ASSERT_TRUE(RunUntil([&] { return sink_.messages.size() == 1; }));
  const Source& source = sink_.messages[0].source;
  EXPECT_EQ(source.protocol, Protocol::kTcp);
  EXPECT_EQ(source.remote, peer.address());
  EXPECT_EQ(source.listener, kTcp4);
  EXPECT_TRUE(transport_->IsOpen(source.flow));
}

TEST_F(TcpTest, AcceptsOverIpv6) {
  const Peer peer = Peer::ConnectedTo(Local(kTcp6));

  peer.Write(Request("one"));

  ASSERT_TRUE(RunUntil([&] { return sink_.messages.size() == 1; }));
  EXPECT_EQ(sink_.messages[0].source.remote, peer.address());
}

TEST_F(TcpTest, CutsMessagesWhereverTheStreamIsSplit) {
  const std::string stream =
      Request("a", "body of a") + Request("b") + "\r\n\r\n" + Request("c", "c");
  const std::vector<std::string> expected = {Request("a", "body of a"), Request("b"),
                                             Request("c", "c")};

  for (size_t split = 1; split < stream.size(); ++split) {
    sink_.messages.clear();
    const Peer peer = Peer::ConnectedTo(Local(kTcp4));
    const uint64_t accepted = transport_->stats().connections_accepted;
    peer.Write(stream.substr(0, split));
    ASSERT_TRUE(RunUntil([&] { return transport_->stats().connections_accepted > accepted; }));
    loop_.RunOnce(absl::ZeroDuration());

    peer.Write(stream.substr(split));

    ASSERT_TRUE(RunUntil([&] { return sink_.messages.size() >= 3; }));
    ASSERT_EQ(Received(), expected) << "split at " << split;
  }
}

TEST_F(TcpTest, CutsMessagesThatComeByteByByte) {
  const Peer peer = Peer::ConnectedTo(Local(kTcp4));

  for (const char byte : Request("a", "x") + Request("b")) {
    peer.Write({&byte, 1});
    loop_.RunOnce(absl::ZeroDuration());
  }

  ASSERT_TRUE(RunUntil([&] { return sink_.messages.size() == 2; }));
  EXPECT_THAT(Received(), ElementsAre(Request("a", "x"), Request("b")));
}

// RFC 5626 §4.4.1 and §3.5.1.
TEST_F(TcpTest, AnswersADoubleCrlfByASingleOne) {
  auto [peer, flow] = Connect();

  peer.Write("\r\n\r\n");

  std::string answer;
  ASSERT_TRUE(RunUntil([&, &connection = peer] {
    connection.ReadInto(answer);
    return answer.size() >= 2;
  }));
  EXPECT_EQ(answer, "\r\n");
  EXPECT_TRUE(transport_->IsOpen(flow));
  EXPECT_EQ(transport_->stats().keepalives, 1u);
}

TEST_F(TcpTest, AnswersOnTheFlowOfTheRequest) {
  auto [peer, flow] = Connect();

  EXPECT_EQ(transport_->Send(OnFlow(flow), "answer"), flow);
  transport_->Flush();

  std::string answer;
  EXPECT_TRUE(RunUntil([&, &connection = peer] {
    connection.ReadInto(answer);
    return answer == "answer";
  }));
}

TEST_F(TcpTest, OpensAConnectionAndUsesItAgain) {
  const Peer server = Peer::Listening();
  const NextHop hop = To(Protocol::kTcp, server.address());

  const FlowId flow = transport_->Send(hop, Request("a"));
  const FlowId same = transport_->Send(hop, Request("b"));

  EXPECT_NE(flow, kNoFlow);
  EXPECT_EQ(same, flow);
  std::optional<Peer> accepted;
  std::string bytes;
  EXPECT_TRUE(RunUntil([&] {
    if (!accepted) accepted = server.Accept();
    if (accepted) accepted->ReadInto(bytes);
    return bytes == Request("a") + Request("b");
  }));
  EXPECT_EQ(transport_->stats().connections_opened, 1u);
}

TEST_F(TcpTest, ReadsWhatComesBackOnAConnectionItOpened) {
  const Peer server = Peer::Listening();
  const FlowId flow = transport_->Send(To(Protocol::kTcp, server.address()), Request("a"));
  std::optional<Peer> accepted;
  ASSERT_TRUE(RunUntil([&] { return (accepted = server.Accept()).has_value(); }));

  accepted->Write(Request("b"));

  ASSERT_TRUE(RunUntil([&] { return sink_.messages.size() == 1; }));
  EXPECT_EQ(sink_.messages[0].source.flow, flow);
  EXPECT_EQ(sink_.messages[0].source.remote, server.address());
}

// RFC 3261 §18: an accepted connection is found by the address it comes from.
TEST_F(TcpTest, UsesAnAcceptedConnectionForItsSourceAddress) {
  auto [peer, flow] = Connect();

  EXPECT_EQ(transport_->Send(To(Protocol::kTcp, peer.address()), "x"), flow);
}

// RFC 5923, with the conditions written at ConnectionTable.
TEST_F(TcpTest, UsesAnAcceptedConnectionForItsAlias) {
  auto [peer, flow] = Connect();
  const SocketAddress alias(peer.address().ip(), 5099);

  transport_->Alias(flow, 5099);

  EXPECT_EQ(transport_->Send(To(Protocol::kTcp, alias), "x"), flow);
}

TEST_F(TcpTest, ForgetsAnAliasWithItsConnection) {
  auto [peer, flow] = Connect();
  const Peer server = Peer::Listening();
  transport_->Alias(flow, server.address().port());
  ASSERT_EQ(transport_->Send(To(Protocol::kTcp, server.address()), "x"), flow);

  peer.Reset();

  ASSERT_TRUE(RunUntil([&, gone = flow] { return !transport_->IsOpen(gone); }));
  EXPECT_NE(transport_->Send(To(Protocol::kTcp, server.address()), "x"), flow);
}

TEST_F(TcpTest, LetsNoAliasTakeOverAnotherConnectionsAddress) {
  auto [first, first_flow] = Connect();
  auto [second, second_flow] = Connect();

  transport_->Alias(second_flow, first.address().port());
  transport_->Alias(first_flow, 5099);
  transport_->Alias(second_flow, 5099);

  EXPECT_EQ(transport_->Send(To(Protocol::kTcp, first.address()), "x"), first_flow);
  EXPECT_EQ(transport_->Send(To(Protocol::kTcp, SocketAddress(first.address().ip(), 5099)), "x"),
            first_flow);
}

TEST_F(TcpTest, KeepsOneAliasPerConnection) {
  auto [peer, flow] = Connect();
  const Peer server = Peer::Listening();

  transport_->Alias(flow, 5098);
  transport_->Alias(flow, server.address().port());

  EXPECT_NE(transport_->Send(To(Protocol::kTcp, server.address()), "x"), flow);
}

// N12: what the client transaction falls back to UDP for.
TEST_F(TcpTest, ReportsAConnectionThatIsRefused) {
  Peer server = Peer::Listening();
  const SocketAddress gone = server.address();
  server.Close();

  const FlowId flow = transport_->Send(To(Protocol::kTcp, gone), "x", 7);

  ASSERT_TRUE(RunUntil([&] { return !sink_.closed.empty(); }));
  EXPECT_THAT(sink_.closed, ElementsAre(Pair(flow, SendFailure::kRefused)));
  EXPECT_FALSE(transport_->IsOpen(flow));
}

// N08.
TEST_F(TcpTest, ReportsAFlowThatCloses) {
  auto [peer, flow] = Connect();

  peer.Reset();

  ASSERT_TRUE(RunUntil([&] { return !sink_.closed.empty(); }));
  EXPECT_THAT(sink_.closed, ElementsAre(Pair(flow, SendFailure::kClosed)));
  transport_->Send(OnFlow(flow), "x", 7);
  transport_->Flush();
  EXPECT_THAT(sink_.failed, ElementsAre(Pair(7u, SendFailure::kClosed)));
}

// RFC 3261 §18.2.2: the answer follows to the address of the request if its connection is gone.
TEST_F(TcpTest, OpensANewConnectionForAnAnswerWhoseOwnIsGone) {
  auto [peer, flow] = Connect();
  peer.Reset();
  ASSERT_TRUE(RunUntil([&, gone = flow] { return !transport_->IsOpen(gone); }));
  const Peer server = Peer::Listening();
  NextHop answer = To(Protocol::kTcp, server.address());
  answer.flow = flow;
  answer.is_answer = true;

  EXPECT_NE(transport_->Send(answer, "answer"), kNoFlow);

  std::optional<Peer> accepted;
  EXPECT_TRUE(RunUntil([&] { return (accepted = server.Accept()).has_value(); }));
}

TEST_F(TcpTest, NeverGivesAFlowTheIdOfAnEarlierLife) {
  SeededRandom other_random(2);
  TransportConfig config;
  config.listeners = {{.protocol = Protocol::kTcp,
                       .bind = *SocketAddress::Parse("127.0.0.1:0"),
                       .advertised_host = ""}};
  const auto later = *SocketTransport::Open(loop_, clock_, other_random, config, sink_);
  const Peer server = Peer::Listening();

  const FlowId flow = transport_->Send(To(Protocol::kTcp, server.address()), "x");
  const FlowId later_flow = later->Send(To(Protocol::kTcp, server.address()), "x");

  EXPECT_NE(flow, later_flow);
}

// A half-closed peer: `nc -N` and some gateways shut their end and wait for the answer.
TEST_F(TcpTest, StillAnswersAPeerThatHasFinishedSending) {
  auto [peer, flow] = Connect();
  peer.ShutWriting();
  ASSERT_TRUE(RunUntil([&] { return !sink_.closed.empty(); }));  // no request can be answered on it
  EXPECT_FALSE(transport_->IsOpen(flow));
  EXPECT_EQ(transport_->Send(OnFlow(flow), "request", 7), kNoFlow);

  NextHop answer = OnFlow(flow);
  answer.is_answer = true;
  EXPECT_EQ(transport_->Send(answer, "answer"), flow);

  std::string bytes;
  EXPECT_TRUE(RunUntil([&, &connection = peer] { return connection.ReadInto(bytes); }));
  EXPECT_EQ(bytes, "answer");
  EXPECT_EQ(transport_->stats().open_connections, 0u);  // all it asked for is answered
}

TEST_F(TcpTest, ClosesAPeerThatHasFinishedAndIsOwedNothing) {
  Peer peer = Peer::ConnectedTo(Local(kTcp4));
  peer.ShutWriting();

  std::string bytes;
  EXPECT_TRUE(RunUntil([&] { return peer.ReadInto(bytes); }));
  EXPECT_THAT(bytes, IsEmpty());
}

TEST_F(TcpTest, SendsWhatIsQueuedBeforeItClosesAFlow) {
  auto [peer, flow] = Connect();
  const std::string large(500'000, 'x');
  transport_->Send(OnFlow(flow), large);

  transport_->Close(flow);

  std::string bytes;
  EXPECT_TRUE(RunUntil([&, &connection = peer] { return connection.ReadInto(bytes); }));
  EXPECT_EQ(bytes.size(), large.size());
  EXPECT_THAT(sink_.closed, ElementsAre(Pair(flow, SendFailure::kClosed)));
}

// P18 on TCP: no Content-Length is a 400, then the end.
TEST_F(TcpTest, SendsTheAnswerToARefusedMessageAndThenCloses) {
  Peer peer = Peer::ConnectedTo(Local(kTcp4));
  sink_.on_refused = [this](const Source& source) {
    NextHop answer = OnFlow(source.flow);
    answer.is_answer = true;
    transport_->Send(answer, "SIP/2.0 400 Missing Content-Length\r\n\r\n");
  };
  std::string request = Request("p18");
  const size_t length = request.find("Content-Length");
  request.erase(length, request.find("\r\n", length) + 2 - length);

  // More follows, which must not turn the close into a reset that eats the answer.
  peer.Write(request + std::string(50'000, 'x'));

  std::string bytes;
  EXPECT_TRUE(RunUntil([&] { return peer.ReadInto(bytes); }));
  EXPECT_EQ(bytes, "SIP/2.0 400 Missing Content-Length\r\n\r\n");
  ASSERT_EQ(sink_.refused.size(), 1u);
  EXPECT_EQ(sink_.refused[0].status, 400);
  EXPECT_TRUE(sink_.refused[0].is_answerable);
  peer.Close();
  EXPECT_TRUE(RunUntil([&] { return transport_->stats().open_connections == 0; }));
}

TEST_F(TcpTest, ServesOthersAfterRubbish) {
  const Peer rubbish = Peer::ConnectedTo(Local(kTcp4));
  rubbish.Write(std::string("\x16\x03\x01\x00\xff\x00 not SIP at all\r\n\r\n", 26));
  ASSERT_TRUE(RunUntil([&] { return sink_.refused.size() == 1; }));

  const Peer peer = Peer::ConnectedTo(Local(kTcp4));
  peer.Write(Request("ok"));

  EXPECT_TRUE(RunUntil([&] { return sink_.messages.size() == 1; }));
}

TEST_F(TcpTest, ClosesEverythingAtItsEnd) {
  auto [peer, flow] = Connect();
  const SocketAddress local = Local(kTcp4);

  transport_.reset();

  std::string bytes;
  EXPECT_TRUE(peer.ReadInto(bytes));
  EXPECT_FALSE(Peer::ConnectedTo(local).is_open());
}

TEST_F(TcpTest, AcceptsNobodyOnceToldToStopAndStillAnswers) {
  auto [peer, flow] = Connect();
  transport_->StopReceiving();

  EXPECT_FALSE(Peer::ConnectedTo(Local(kTcp4)).is_open());
  transport_->Send(OnFlow(flow), "goodbye");
  std::string bytes;
  EXPECT_TRUE(RunUntil([&, &connection = peer] {
    connection.ReadInto(bytes);
    return bytes == "goodbye";
  }));
}

}  // namespace
}  // namespace presence::sip
