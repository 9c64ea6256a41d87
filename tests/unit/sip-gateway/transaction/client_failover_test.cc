#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sip-gateway/transaction/client_transactions.h"
#include "tests/unit/sip-gateway/transaction/client_fixture.h"

namespace presence::sip {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using Kind = ClientOutcome::Kind;

// Hops that fail (RFC 3263 §4.3), transport errors (RFC 3261 §18.4) and requests too long for UDP
// (§18.1.1).
class ClientFailoverTest : public ClientFixture {
 protected:
  const NextHop first_ = Udp("192.0.2.9:5060");
  const NextHop second_ = Udp("192.0.2.10:5060");

  std::string ViaProtocolOf(size_t sent) {
    return std::string(ParseOrDie(transport_.sent.at(sent).bytes)->top_via().transport);
  }
  void MakeLong() { body_ = std::string(1300, 'x'); }
};

TEST_F(ClientFailoverTest, TriesTheNextHopUnderANewBranchAfterA503) {
  Start({first_, second_});

  Answer(503, "Retry-After: 60");

  ASSERT_EQ(transport_.sent.size(), 2u);
  EXPECT_EQ(transport_.sent[1].hop, second_);
  EXPECT_NE(BranchOf(0), BranchOf(1));
  EXPECT_TRUE(results_.empty());
  EXPECT_THAT(failed_hops_, ElementsAre(Pair("192.0.2.9:5060", 60u)));

  Answer(200);
  EXPECT_EQ(results_.at(0).outcome.status, 200);
  EXPECT_EQ(results_[0].outcome.hop, second_);
  EXPECT_THAT(answered_hops_, ElementsAre("192.0.2.10:5060"));
}

TEST_F(ClientFailoverTest, ReportsThe503OfTheLastHop) {
  Start({first_});

  Answer(503, "Retry-After: 60");

  ASSERT_EQ(results_.size(), 1u);
  EXPECT_EQ(results_[0].outcome.kind, Kind::kAnswered);
  EXPECT_EQ(results_[0].outcome.status, 503);
  EXPECT_EQ(results_[0].outcome.retry_after_seconds, 60u);
  EXPECT_EQ(results_[0].body, "because");
}

TEST_F(ClientFailoverTest, TakesAnyOtherFailureForTheAnswer) {
  Start({first_, second_});

  Answer(500);

  EXPECT_EQ(transport_.sent.size(), 1u);
  EXPECT_EQ(results_.at(0).outcome.status, 500);
  EXPECT_THAT(answered_hops_, ElementsAre("192.0.2.9:5060"));
}

TEST_F(ClientFailoverTest, TriesTheNextHopAfterTimerF) {
  Start({first_, second_});
  Pass(absl::Seconds(32));

  EXPECT_TRUE(results_.empty());
  EXPECT_EQ(transport_.sent.back().hop, second_);

  Pass(absl::Seconds(33));
  EXPECT_EQ(results_.at(0).outcome.kind, Kind::kTimedOut);
}

TEST_F(ClientFailoverTest, AbsorbsALateResponseOfAHopItHasLeft) {
  Start({first_, second_});
  transactions_.OnSendFailed(transport_.sent[0].tag, SendFailure::kUnreachable);

  Answer(transport_.sent[0].bytes, 481);

  EXPECT_TRUE(results_.empty());
  EXPECT_EQ(transactions_.stats().absorbed_responses, 1u);
}

TEST_F(ClientFailoverTest, TriesTheNextHopAfterAFailureToSend) {
  Start({first_, second_});

  transactions_.OnSendFailed(transport_.sent[0].tag, SendFailure::kUnreachable);

  EXPECT_EQ(transport_.sent.back().hop, second_);
  EXPECT_EQ(transactions_.stats().failovers, 1u);
}

TEST_F(ClientFailoverTest, DoesNotBlameTheSecondHopForTheFirstOnesFailure) {
  Start({first_, second_});
  const SendTag tag = transport_.sent[0].tag;
  transactions_.OnSendFailed(tag, SendFailure::kUnreachable);

  transactions_.OnSendFailed(tag, SendFailure::kUnreachable);

  EXPECT_TRUE(results_.empty());
  EXPECT_EQ(transactions_.stats().active, 1u);
}

TEST_F(ClientFailoverTest, ReportsATransportErrorWhenNoHopIsLeft) {
  Start({first_});

  transactions_.OnSendFailed(transport_.sent[0].tag, SendFailure::kUnreachable);

  EXPECT_EQ(results_.at(0).outcome.kind, Kind::kTransportError);
  EXPECT_EQ(results_[0].outcome.status, 503);  // RFC 3261 §8.1.3.1
  EXPECT_EQ(results_[0].outcome.failure, SendFailure::kUnreachable);
}

TEST_F(ClientFailoverTest, PassesOverAHopItHasNoListenerFor) {
  Start({Udp("[2001:db8::9]:5060"), second_});
  Pass(absl::Milliseconds(20));

  EXPECT_EQ(transport_.sent.at(0).hop, second_);
}

TEST_F(ClientFailoverTest, ReportsAHopWithoutAListenerNotFromInsideStart) {
  Start({Udp("[2001:db8::9]:5060")});
  EXPECT_TRUE(results_.empty());

  Pass(absl::Milliseconds(20));
  EXPECT_EQ(results_.at(0).outcome.failure, SendFailure::kNoListener);
}

// RFC 3261 §18.4.
TEST_F(ClientFailoverTest, BelievesAnIcmpErrorThatQuotesItsBranch) {
  Start({first_});

  transactions_.OnIcmpError(first_.remote,
                            std::string_view(transport_.sent[0].bytes).substr(0, 500),
                            SendFailure::kRefused);

  EXPECT_EQ(results_.at(0).outcome.kind, Kind::kTransportError);
  EXPECT_EQ(results_[0].outcome.failure, SendFailure::kRefused);
}

TEST_F(ClientFailoverTest, DisbelievesAnIcmpErrorThatAnybodyCouldHaveMade) {
  Start({first_});
  const std::string bytes = transport_.sent[0].bytes;
  const size_t branch = bytes.find("z9hG4bK");

  transactions_.OnIcmpError(first_.remote, "", SendFailure::kRefused);
  transactions_.OnIcmpError(first_.remote, bytes.substr(0, branch + 20), SendFailure::kRefused);
  transactions_.OnIcmpError(second_.remote, bytes, SendFailure::kRefused);

  EXPECT_TRUE(results_.empty());
}

// N08: the flow of the subscription.
TEST_F(ClientFailoverTest, ReportsALostFlowAndDoesNotBlameItsAddress) {
  NextHop flow_hop = Tcp("192.0.2.9:40000");
  flow_hop.flow = transport_.Send(Tcp("192.0.2.9:40000"), "", 0);
  flow_hop.may_connect = false;
  Start({flow_hop});

  transactions_.OnFlowClosed(flow_hop.flow, SendFailure::kClosed);

  EXPECT_EQ(results_.at(0).outcome.failure, SendFailure::kClosed);
  EXPECT_THAT(failed_hops_, IsEmpty());
}

// N08: a lost flow is followed by a new connection to the next hop.
TEST_F(ClientFailoverTest, FollowsALostFlowByTheNextHop) {
  NextHop flow_hop = Tcp("192.0.2.9:40000");
  flow_hop.flow = transport_.Send(Tcp("192.0.2.9:40000"), "", 0);
  flow_hop.may_connect = false;
  Start({flow_hop, Tcp("192.0.2.9:5060")});
  ASSERT_EQ(transport_.sent.back().flow, flow_hop.flow);

  transactions_.OnFlowClosed(flow_hop.flow, SendFailure::kClosed);

  EXPECT_EQ(transport_.sent.back().hop, Tcp("192.0.2.9:5060"));
  EXPECT_NE(transport_.sent.back().flow, flow_hop.flow);
}

TEST_F(ClientFailoverTest, FailsEveryTransactionOfAConnectionThatCloses) {
  Start({Tcp("192.0.2.9:5060")});
  const FlowId flow = transport_.sent[0].flow;
  NextHop same = Tcp("192.0.2.9:5060");
  same.flow = flow;
  Start({same});
  Start({Tcp("192.0.2.10:5060")});

  transactions_.OnFlowClosed(flow, SendFailure::kRefused);

  EXPECT_EQ(results_.size(), 2u);
  EXPECT_EQ(transactions_.stats().active, 1u);
}

TEST_F(ClientFailoverTest, FailsThemInTheOrderTheyWereStartedIn) {
  NextHop hop = Tcp("192.0.2.9:5060");
  hop.flow = transport_.Send(hop, "", 0);
  std::vector<ClientTransactionId> started;
  for (int i = 0; i < 20; ++i) started.push_back(Start({hop}));

  transactions_.OnFlowClosed(hop.flow, SendFailure::kClosed);

  std::vector<ClientTransactionId> failed;
  for (const Result& result : results_) failed.push_back(result.id);
  EXPECT_EQ(failed, started);
}

TEST_F(ClientFailoverTest, DoesNotMindTheEndOfAConnectionItHasItsAnswerFrom) {
  Start({Tcp()});
  Answer(200);

  transactions_.OnFlowClosed(transport_.sent[0].flow, SendFailure::kClosed);

  EXPECT_EQ(results_.size(), 1u);
}

// N12, RFC 3261 §18.1.1.
TEST_F(ClientFailoverTest, SendsARequestOver1300BytesByTcpWithAViaToMatch) {
  MakeLong();

  Start({first_});

  ASSERT_EQ(transport_.sent.size(), 1u);
  EXPECT_EQ(transport_.sent[0].hop.protocol, Protocol::kTcp);
  EXPECT_EQ(transport_.sent[0].hop.remote, first_.remote);
  EXPECT_EQ(ViaProtocolOf(0), "TCP");
  Answer(200);
  EXPECT_EQ(results_.at(0).outcome.status, 200);
}

// N12: the limit is 1300 bytes, headers included.
TEST_F(ClientFailoverTest, SendsARequestOfExactly1300BytesByUdp) {
  body_.clear();
  Start({first_});
  const size_t empty = transport_.TakeSent().at(0).bytes.size();
  // The header fields of a body: "Content-Type: text/plain" and two more digits of Content-Length.
  body_ = "x";
  Start({first_});
  const size_t with_one = transport_.TakeSent().at(0).bytes.size();
  ASSERT_GT(with_one, empty);
  body_ = std::string(1300 - with_one - 2, 'x');
  while (Notify("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK0123456789abcdef01234567;rport")->size() <
         1300) {
    body_ += 'x';
  }

  Start({first_});
  EXPECT_EQ(transport_.sent.at(0).bytes.size(), 1300u);
  EXPECT_EQ(transport_.sent[0].hop.protocol, Protocol::kUdp);

  body_ += 'x';
  Start({first_});
  EXPECT_EQ(transport_.sent.at(1).hop.protocol, Protocol::kTcp);
}

// N12: TCP refused, so whole over UDP after all.
TEST_F(ClientFailoverTest, SendsALongRequestWholeByUdpWhenTcpIsRefused) {
  MakeLong();
  Start({first_});

  transactions_.OnFlowClosed(transport_.sent[0].flow, SendFailure::kRefused);

  ASSERT_EQ(transport_.sent.size(), 2u);
  EXPECT_EQ(transport_.sent[1].hop, first_);
  EXPECT_EQ(ViaProtocolOf(1), "UDP");
  EXPECT_NE(BranchOf(0), BranchOf(1));
  EXPECT_EQ(ParseOrDie(transport_.sent[1].bytes)->body(), body_);
  Pass(absl::Milliseconds(600));
  EXPECT_EQ(transport_.sent.size(), 3u);  // and is retransmitted as any other
  Answer(200);
  EXPECT_EQ(results_.at(0).outcome.status, 200);
}

TEST_F(ClientFailoverTest, AlsoWhenTheConnectionCouldNotBeOpenedForOtherReasons) {
  MakeLong();
  for (const SendFailure why :
       {SendFailure::kTimedOut, SendFailure::kUnreachable, SendFailure::kClosed}) {
    transport_.sent.clear();
    Start({Udp("192.0.2.9:" + std::to_string(6000 + static_cast<int>(why)))});
    transactions_.OnFlowClosed(transport_.sent[0].flow, why);
    EXPECT_EQ(transport_.sent.back().hop.protocol, Protocol::kUdp);
  }
}

TEST_F(ClientFailoverTest, RemembersForAWhileWhoRefusesTcp) {
  MakeLong();
  Start({first_});
  transactions_.OnFlowClosed(transport_.sent[0].flow, SendFailure::kRefused);
  Answer(200);
  transport_.sent.clear();

  Start({first_});
  EXPECT_EQ(transport_.sent.at(0).hop.protocol, Protocol::kUdp);
  Answer(200);
  Start({second_});
  EXPECT_EQ(transport_.sent.at(1).hop.protocol, Protocol::kTcp);
  Answer(200);

  Pass(absl::Minutes(5));
  Start({first_});
  EXPECT_EQ(transport_.sent.at(2).hop.protocol, Protocol::kTcp);
}

TEST_F(ClientFailoverTest, SendsALongRequestByUdpWhenThereIsNoTcpListener) {
  transport_.RemoveListeners();
  transport_.AddListener(Protocol::kUdp, "192.0.2.1:5060");
  MakeLong();

  Start({first_});

  EXPECT_EQ(transport_.sent.at(0).hop.protocol, Protocol::kUdp);
}

TEST_F(ClientFailoverTest, GoesOnToTheNextHopWhenUdpFailsToo) {
  MakeLong();
  Start({first_, second_});
  transactions_.OnFlowClosed(transport_.sent[0].flow, SendFailure::kRefused);
  transactions_.OnSendFailed(transport_.sent[1].tag, SendFailure::kTooLong);

  // The next hop may speak TCP.
  EXPECT_EQ(transport_.sent.at(2).hop.protocol, Protocol::kTcp);
  EXPECT_EQ(transport_.sent[2].hop.remote, second_.remote);
}

}  // namespace
}  // namespace presence::sip
