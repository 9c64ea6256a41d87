#include "sip-gateway/transaction/client_transactions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sip-gateway/transaction/client_fixture.h"

namespace presence::sip {
namespace {

using testing::ElementsAre;
using Kind = ClientOutcome::Kind;

class ClientTransactionsTest : public ClientFixture {
 protected:
  // Lets time pass until the transaction is over, and tells when something was sent, in
  // milliseconds from now.
  std::vector<int64_t> SendTimes(absl::Duration time) {
    std::vector<int64_t> times;
    const absl::Time start = clock_.Now();
    size_t seen = transport_.sent.size();
    while (clock_.Now() < start + time) {
      Pass(absl::Milliseconds(10));
      for (; seen < transport_.sent.size(); ++seen) {
        times.push_back(absl::ToInt64Milliseconds(clock_.Now() - start));
      }
    }
    return times;
  }
};

TEST_F(ClientTransactionsTest, SendsTheRequestUnderAViaOfTheListener) {
  Start();

  ASSERT_EQ(transport_.sent.size(), 1u);
  EXPECT_EQ(transport_.sent[0].hop, Udp());
  const auto request = ParseOrDie(transport_.sent[0].bytes);
  const Via& via = request->top_via();
  EXPECT_EQ(via.transport, "UDP");
  EXPECT_EQ(via.host, "192.0.2.1");
  EXPECT_EQ(via.port, 5060);
  EXPECT_TRUE(via.has_rport);  // RFC 3581 §3
  EXPECT_TRUE(via.has_magic_cookie());
}

TEST_F(ClientTransactionsTest, ReportsAFinalResponse) {
  const auto id = Start();

  Answer(200);

  ASSERT_EQ(results_.size(), 1u);
  EXPECT_EQ(results_[0].id, id);
  EXPECT_EQ(results_[0].outcome.kind, Kind::kAnswered);
  EXPECT_EQ(results_[0].outcome.status, 200);
  EXPECT_EQ(results_[0].body, "because");
  EXPECT_EQ(transactions_.stats().active, 0u);
}

TEST_F(ClientTransactionsTest, ReportsTheRetryAfterOfAResponse) {
  Start();

  Answer(500, "Retry-After: 17");

  EXPECT_EQ(results_.at(0).outcome.status, 500);
  EXPECT_EQ(results_[0].outcome.retry_after_seconds, 17u);
}

// RFC 3261 §17.1.2.2, Timers E and F: 500 ms, doubled to T2 = 4 s, until 64*T1 = 32 s.
TEST_F(ClientTransactionsTest, RetransmitsAtDoublingIntervalsUpToT2UntilTimerF) {
  Start();

  EXPECT_THAT(SendTimes(absl::Seconds(40)),
              ElementsAre(500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500));
  ASSERT_EQ(results_.size(), 1u);
  EXPECT_EQ(results_[0].outcome.kind, Kind::kTimedOut);
  EXPECT_EQ(results_[0].outcome.status, 408);
  EXPECT_EQ(transactions_.stats().timed_out, 1u);
}

TEST_F(ClientTransactionsTest, RetransmitsTheSameBytes) {
  Start();
  Pass(absl::Seconds(1));

  ASSERT_EQ(transport_.sent.size(), 2u);
  EXPECT_EQ(transport_.sent[0].bytes, transport_.sent[1].bytes);
}

TEST_F(ClientTransactionsTest, TimesOutAfterSixtyFourT1AndNotBefore) {
  Start();

  Pass(absl::Milliseconds(31'990));
  EXPECT_TRUE(results_.empty());

  Pass(absl::Milliseconds(10));
  EXPECT_EQ(results_.size(), 1u);
}

// RFC 3261 §17.1.2.2, Proceeding: E runs on as it was set, and is T2 from its next firing.
TEST_F(ClientTransactionsTest, RetransmitsAtT2AfterAProvisionalResponse) {
  Start();
  Answer(100);

  EXPECT_THAT(SendTimes(absl::Seconds(20)), ElementsAre(500, 4500, 8500, 12500, 16500));
  EXPECT_TRUE(results_.empty());
}

TEST_F(ClientTransactionsTest, TimesOutAlsoAfterAProvisionalResponse) {
  Start();
  Answer(183);

  Pass(absl::Seconds(32));

  EXPECT_EQ(results_.at(0).outcome.kind, Kind::kTimedOut);
}

TEST_F(ClientTransactionsTest, TakesAFinalResponseAfterAProvisionalOne) {
  Start();
  Answer(100);
  Answer(404);

  EXPECT_EQ(results_.at(0).outcome.status, 404);
  EXPECT_THAT(SendTimes(absl::Seconds(40)), ElementsAre());
}

TEST_F(ClientTransactionsTest, SendsOverAReliableTransportOnceOnly) {
  Start({Tcp()});

  const auto request = ParseOrDie(transport_.sent.at(0).bytes);
  EXPECT_EQ(request->top_via().transport, "TCP");
  EXPECT_FALSE(request->top_via().has_rport);
  EXPECT_THAT(SendTimes(absl::Seconds(31)), ElementsAre());
  EXPECT_TRUE(results_.empty());

  Pass(absl::Seconds(1));
  EXPECT_EQ(results_.at(0).outcome.kind, Kind::kTimedOut);
}

// RFC 3261 §17.1.2.2, Completed.
TEST_F(ClientTransactionsTest, AbsorbsARetransmittedResponseUntilTimerK) {
  Start();
  Answer(200);

  Pass(absl::Milliseconds(4'990));
  Answer(200);
  EXPECT_EQ(transactions_.stats().absorbed_responses, 1u);

  Pass(absl::Milliseconds(10));
  Answer(200);
  EXPECT_EQ(transactions_.stats().absorbed_responses, 1u);
  EXPECT_EQ(transactions_.stats().stray_responses, 1u);
  EXPECT_EQ(results_.size(), 1u);
}

// RFC 3261 §17.1.3.
TEST_F(ClientTransactionsTest, DropsAResponseWithABranchOfNoTransaction) {
  Start();
  std::string forged = transport_.sent[0].bytes;
  const size_t branch = forged.find("z9hG4bK");
  forged[branch + 30] = forged[branch + 30] == 'a' ? 'b' : 'a';

  Answer(forged, 481);

  EXPECT_TRUE(results_.empty());
  EXPECT_EQ(transactions_.stats().stray_responses, 1u);
}

// RFC 3261 §17.1.3: the CSeq method counts too.
TEST_F(ClientTransactionsTest, DropsAResponseOfAnotherMethod) {
  Start();
  const std::string branch = BranchOf(0);

  transactions_.OnResponse({.branch = branch,
                            .via_host = "192.0.2.1",
                            .via_port = 5060,
                            .cseq_method = "SUBSCRIBE",
                            .status = 200});

  EXPECT_TRUE(results_.empty());
}

// RFC 3261 §18.1.2 and §8.1.3.3.
TEST_F(ClientTransactionsTest, DropsAResponseWhoseViaIsNotOurs) {
  Start();
  const std::string branch = BranchOf(0);
  ResponseFacts facts{.branch = branch,
                      .via_host = "192.0.2.1",
                      .via_port = 5060,
                      .cseq_method = "NOTIFY",
                      .status = 200};

  ResponseFacts other_host = facts;
  other_host.via_host = "192.0.2.2";
  transactions_.OnResponse(other_host);
  ResponseFacts other_port = facts;
  other_port.via_port = 5061;
  transactions_.OnResponse(other_port);
  ResponseFacts two_vias = facts;
  two_vias.via_count = 2;
  transactions_.OnResponse(two_vias);
  EXPECT_TRUE(results_.empty());
  EXPECT_EQ(transactions_.stats().foreign_responses, 3u);

  transactions_.OnResponse(facts);
  EXPECT_EQ(results_.at(0).outcome.status, 200);
}

// N09: the sent-by of an IPv6 listener is in brackets, and a response to it is recognised.
TEST_F(ClientTransactionsTest, SpeaksIpv6FromAnIpv6Listener) {
  transport_.AddListener(Protocol::kUdp, "[2001:db8::1]:5060");
  Start({Udp("[2001:db8::9]:5062")});

  EXPECT_NE(transport_.sent.at(0).bytes.find("Via: SIP/2.0/UDP [2001:db8::1]:5060;"),
            std::string::npos);
  Answer(200);
  EXPECT_EQ(results_.at(0).outcome.status, 200);
}

// N06: a newer NOTIFY of the dialog has taken its place.
TEST_F(ClientTransactionsTest, FallsSilentWhenStoppedAndAbsorbsALateResponse) {
  const auto id = Start();

  transactions_.Stop(id);

  EXPECT_THAT(SendTimes(absl::Seconds(20)), ElementsAre());
  Answer(200);
  EXPECT_TRUE(results_.empty());
  EXPECT_EQ(transactions_.stats().absorbed_responses, 1u);
  EXPECT_EQ(transactions_.stats().active, 0u);
}

TEST_F(ClientTransactionsTest, StopsAnEndedOrUnknownTransactionWithoutHarm) {
  const auto id = Start();
  Answer(200);

  transactions_.Stop(id);
  transactions_.Stop(id + 1000);

  EXPECT_EQ(transactions_.stats().stopped, 0u);
}

TEST_F(ClientTransactionsTest, StopsAllAtOnce) {
  Start();
  Start({Tcp()});

  transactions_.StopAll();

  EXPECT_THAT(SendTimes(absl::Seconds(40)), ElementsAre());
  EXPECT_TRUE(results_.empty());
  EXPECT_EQ(transactions_.stats().active, 0u);
}

TEST_F(ClientTransactionsTest, MayStartAnotherFromItsOutcome) {
  ClientRequest request;
  request.method = "NOTIFY";
  request.hops = {Udp()};
  request.render = [this](std::string_view via) { return Notify(via); };
  request.on_outcome = [this](const ClientOutcome&) { Start(); };
  transactions_.Start(std::move(request));

  Answer(200);
  EXPECT_EQ(transport_.sent.size(), 2u);

  Answer(200);
  EXPECT_EQ(results_.size(), 1u);
}

TEST_F(ClientTransactionsTest, ReportsARequestThatCannotBePrintedAndNotFromInsideStart) {
  body_ = "state";
  ClientRequest request;
  request.method = "NOTIFY";
  request.hops = {Udp(), Udp("192.0.2.10:5062")};
  request.render = [](std::string_view) { return absl::InvalidArgumentError("no"); };
  std::vector<Kind> kinds;
  request.on_outcome = [&kinds](const ClientOutcome& outcome) { kinds.push_back(outcome.kind); };

  transactions_.Start(std::move(request));
  EXPECT_TRUE(kinds.empty());

  Pass(absl::Milliseconds(20));
  EXPECT_THAT(kinds, ElementsAre(Kind::kUnsendable));
}

TEST_F(ClientTransactionsTest, SaysWhenItWantsToBeCalledAgain) {
  EXPECT_EQ(transactions_.Advance(clock_.Now()), absl::InfiniteFuture());

  Start();

  const absl::Time due = transactions_.Advance(clock_.Now());
  EXPECT_GT(due, clock_.Now());
  EXPECT_LE(due, clock_.Now() + absl::Milliseconds(510));
}

// Thousands of transactions with random answers, silences and stops: each ends exactly once, as it
// should.
TEST_F(ClientTransactionsTest, EndsEveryTransactionExactlyOnce) {
  SeededRandom chance(3);
  std::vector<ClientTransactionId> stopped;
  size_t started = 0;
  for (int step = 0; step < 2'000; ++step) {
    const auto id = Start();
    ++started;
    if (chance.Chance(60)) Answer(200);
    if (chance.Chance(20)) Answer(static_cast<int>(100 + chance.Below(99)));
    if (chance.Chance(10)) {
      transactions_.Stop(id);
      stopped.push_back(id);
    }
    transport_.sent.clear();
    Pass(absl::Milliseconds(static_cast<int64_t>(chance.Below(40))));
  }
  Pass(absl::Seconds(33));

  const ClientTransactionStats stats = transactions_.stats();
  EXPECT_EQ(stats.active, 0u);
  EXPECT_EQ(stats.answered + stats.timed_out + stats.stopped, started);
  EXPECT_EQ(results_.size(), stats.answered + stats.timed_out);
}

}  // namespace
}  // namespace presence::sip
