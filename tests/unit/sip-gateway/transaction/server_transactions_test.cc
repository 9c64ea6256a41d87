#include "sip-gateway/transaction/server_transactions.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sip-gateway/sofia/printer.h"
#include "sip-gateway/transaction/response_route.h"
#include "tests/unit/sip-gateway/transaction/fake_transport.h"
#include "tests/unit/sip-gateway/transaction/messages.h"

namespace presence::sip {
namespace {

// Prints every fact of an answer, as the gateway's printer does, from the request and the
// StoredAnswer alone.
class TestPrinter final : public AnswerPrinter {
 public:
  std::string PrintAnswer(const Message& request, const Source& source,
                          const StoredAnswer& answer) override {
    const ViaMark mark = MarkVia(source, request.top_via());
    const std::string seconds = std::to_string(answer.seconds);
    const std::string etag(answer.etag());
    const std::vector<Header> headers = {{"Expires", seconds}, {"SIP-ETag", etag}};
    ResponseSpec spec;
    spec.status = answer.status;
    spec.to_tag = answer.to_tag();
    spec.via_received = mark.received;
    spec.via_rport = mark.rport;
    spec.headers = headers;
    return PrintResponse(request, spec);
  }
};

StoredAnswer Ok(std::string_view to_tag = "tag1", std::string_view etag = "etag1") {
  StoredAnswer answer;
  answer.status = 200;
  answer.seconds = 3600;
  EXPECT_TRUE(answer.SetTags(to_tag, etag));
  return answer;
}

class ServerTransactionsTest : public testing::Test {
 protected:
  explicit ServerTransactionsTest(const ServerTransactionConfig& config = {})
      : transactions_(clock_, random_, transport_, printer_, config) {}

  std::optional<ServerTransactionId> Receive(const RequestText& request,
                                             const Source& source = UdpSource()) {
    return transactions_.OnRequest(request.Parse(), source);
  }
  void Pass(absl::Duration time) {
    clock_.Advance(time);
    transactions_.Advance(clock_.Now());
  }
  // The status of the one answer sent since the last call; 0 if none was.
  int TakeStatus() {
    const auto sent = transport_.TakeSent();
    EXPECT_LE(sent.size(), 1u);
    return sent.empty() ? 0 : ParseOrDie(sent[0].bytes)->status();
  }

  ManualClock clock_;
  SeededRandom random_{1};
  FakeTransport transport_;
  TestPrinter printer_;
  ServerTransactions transactions_;
  RequestText request_;
};

TEST_F(ServerTransactionsTest, PassesANewRequestOnAndKeepsItUntilItIsAnswered) {
  const auto id = Receive(request_, UdpSource("192.0.2.9:5062"));

  ASSERT_TRUE(id);
  EXPECT_EQ(transactions_.Request(*id)->call_id(), "call1");
  EXPECT_EQ(transactions_.SourceOf(*id)->remote.ToString(), "192.0.2.9:5062");

  transactions_.Respond(*id, Ok());
  EXPECT_EQ(transactions_.Request(*id), nullptr);
  EXPECT_EQ(transactions_.SourceOf(*id), nullptr);
}

// RFC 3261 §17.2.2, Trying.
TEST_F(ServerTransactionsTest, AbsorbsARetransmissionThatComesBeforeTheAnswer) {
  ASSERT_TRUE(Receive(request_));

  EXPECT_FALSE(Receive(request_));
  EXPECT_FALSE(Receive(request_));

  EXPECT_EQ(TakeStatus(), 0);
  EXPECT_EQ(transactions_.stats().absorbed, 2u);
}

// RFC 3261 §17.2.2, Completed; S08.
TEST_F(ServerTransactionsTest, AnswersARetransmissionAgainByTheSameBytes) {
  const auto id = Receive(request_);
  transactions_.Respond(*id, Ok());
  const auto first = transport_.TakeSent();

  EXPECT_FALSE(Receive(request_));
  const auto again = transport_.TakeSent();

  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].bytes, first[0].bytes);
  EXPECT_EQ(again[0].hop, first[0].hop);
  EXPECT_NE(first[0].bytes.find("SIP-ETag: etag1\r\n"), std::string::npos);
  EXPECT_NE(first[0].bytes.find(";tag=tag1\r\n"), std::string::npos);
  EXPECT_EQ(transactions_.stats().answered_again, 1u);
}

TEST_F(ServerTransactionsTest, ForgetsAnAnswerWhenTimerJFires) {
  transactions_.Respond(*Receive(request_), Ok());

  Pass(absl::Milliseconds(64 * 500 - 1));
  EXPECT_FALSE(Receive(request_));

  Pass(absl::Milliseconds(1));
  EXPECT_TRUE(Receive(request_));
}

TEST_F(ServerTransactionsTest, KeepsNoAnswerOverAReliableTransport) {
  request_.via = "SIP/2.0/TCP 192.0.2.9:5062;branch=z9hG4bKfirst";
  transactions_.Respond(*Receive(request_, TcpSource(7)), Ok());

  EXPECT_EQ(transactions_.stats().stored_answers, 0u);
  EXPECT_TRUE(Receive(request_, TcpSource(7)));
}

TEST_F(ServerTransactionsTest, DiscardsASecondAnswer) {
  const auto id = Receive(request_);
  transactions_.Respond(*id, Ok());
  transport_.TakeSent();

  transactions_.Respond(*id, Ok("tag2", "etag2"));
  transactions_.RespondOnce(*id, "SIP/2.0 500 Late\r\n\r\n");

  EXPECT_TRUE(transport_.TakeSent().empty());
}

TEST_F(ServerTransactionsTest, TakesARequestWithAnotherBranchForAnother) {
  transactions_.Respond(*Receive(request_), Ok());

  request_.via = "SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bKsecond;rport";
  request_.cseq = 2;

  EXPECT_TRUE(Receive(request_));
}

TEST_F(ServerTransactionsTest, RecognisesARetransmissionWithoutTheMagicCookie) {
  request_.via = "SIP/2.0/UDP 192.0.2.9:5062";
  transactions_.Respond(*Receive(request_), Ok());
  EXPECT_EQ(TakeStatus(), 200);

  EXPECT_FALSE(Receive(request_));
  EXPECT_EQ(TakeStatus(), 200);
}

TEST_F(ServerTransactionsTest, SendsToTheSourceOfTheRetransmission) {
  // A NAT may have moved the phone to another port in between: RFC 3581 §4 holds for each request.
  transactions_.Respond(*Receive(request_, UdpSource("198.51.100.1:1000")), Ok());
  transport_.TakeSent();

  Receive(request_, UdpSource("198.51.100.1:2000"));

  EXPECT_EQ(transport_.TakeSent().at(0).hop.remote.ToString(), "198.51.100.1:2000");
}

TEST_F(ServerTransactionsTest, SendsAnAnswerThatCannotBeStoredOnce) {
  const auto id = Receive(request_);

  transactions_.RespondOnce(*id, "SIP/2.0 200 OK\r\n\r\n");

  EXPECT_EQ(transport_.TakeSent().at(0).bytes, "SIP/2.0 200 OK\r\n\r\n");
  EXPECT_EQ(transactions_.stats().unstored_answers, 1u);
  EXPECT_TRUE(Receive(request_));
}

TEST_F(ServerTransactionsTest, DropsAnAck) {
  request_.method = "ACK";

  EXPECT_FALSE(Receive(request_));

  EXPECT_EQ(TakeStatus(), 0);
  EXPECT_EQ(transactions_.stats().acks_dropped, 1u);
}

// S24: RFC 3261 §8.2.2.2.
TEST_F(ServerTransactionsTest, RefusesARequestThatCameByAnotherWayToo) {
  ASSERT_TRUE(Receive(request_));
  RequestText other_way = request_;
  other_way.via = "SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKother";

  EXPECT_FALSE(Receive(other_way, UdpSource("192.0.2.77:5060")));

  EXPECT_EQ(TakeStatus(), 482);
  EXPECT_EQ(transactions_.stats().merged, 1u);
}

TEST_F(ServerTransactionsTest, DoesNotCallARequestInADialogMerged) {
  request_.to_tag = "local";
  ASSERT_TRUE(Receive(request_));
  RequestText other_way = request_;
  other_way.via = "SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKother";

  EXPECT_TRUE(Receive(other_way));
}

TEST_F(ServerTransactionsTest, DoesNotCallAnAnsweredRequestMerged) {
  transactions_.Respond(*Receive(request_), Ok());
  RequestText other_way = request_;
  other_way.via = "SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKother";

  EXPECT_TRUE(Receive(other_way));
}

// S25: RFC 3261 §9.2, RFC 6665 §4.6.
TEST_F(ServerTransactionsTest, AnswersACancelThatMatchesAndGoesOnWithTheRequest) {
  const auto id = Receive(request_);
  RequestText cancel = request_;
  cancel.method = "CANCEL";

  EXPECT_FALSE(Receive(cancel));
  EXPECT_EQ(TakeStatus(), 200);

  transactions_.Respond(*id, Ok());
  EXPECT_EQ(TakeStatus(), 200);
  EXPECT_FALSE(Receive(cancel));
  EXPECT_EQ(TakeStatus(), 200);
}

// S25.
TEST_F(ServerTransactionsTest, RefusesACancelOfNothing) {
  request_.method = "CANCEL";

  EXPECT_FALSE(Receive(request_));

  EXPECT_EQ(TakeStatus(), 481);
}

// RFC 3261 §8.2.7, §8.2.6.2.
TEST_F(ServerTransactionsTest, GivesItsOwnAnswersOneToTagPerRequest) {
  request_.method = "CANCEL";
  Receive(request_);
  Receive(request_);
  request_.call_id = "other";
  Receive(request_);

  const auto sent = transport_.TakeSent();
  const std::string first(ParseOrDie(sent.at(0).bytes)->to().tag);
  EXPECT_EQ(first.size(), 24u);
  EXPECT_EQ(ParseOrDie(sent.at(1).bytes)->to().tag, first);
  EXPECT_NE(ParseOrDie(sent.at(2).bytes)->to().tag, first);
}

// RFC 5923.
TEST_F(ServerTransactionsTest, PassesAnAliasOnThatNamesTheAddressItComesFrom) {
  request_.via = "SIP/2.0/TCP 192.0.2.9:5070;branch=z9hG4bKfirst;alias";

  Receive(request_, TcpSource(7, "192.0.2.9:40000"));

  ASSERT_EQ(transport_.aliases.size(), 1u);
  EXPECT_EQ(transport_.aliases[0], std::pair(FlowId{7}, uint16_t{5070}));
}

TEST_F(ServerTransactionsTest, PassesNoAliasOnForSomebodyElsesAddress) {
  request_.via = "SIP/2.0/TCP 192.0.2.10:5070;branch=z9hG4bKfirst;alias";
  Receive(request_, TcpSource(7, "192.0.2.9:40000"));
  request_.via = "SIP/2.0/TCP phone.example.com;branch=z9hG4bKsecond;alias";
  request_.cseq = 2;
  Receive(request_, TcpSource(7, "192.0.2.9:40000"));

  EXPECT_TRUE(transport_.aliases.empty());
}

TEST_F(ServerTransactionsTest, HasNothingToWakeUpForWhenNothingIsStored) {
  EXPECT_EQ(transactions_.Advance(clock_.Now()), absl::InfiniteFuture());

  transactions_.Respond(*Receive(request_), Ok());

  EXPECT_EQ(transactions_.Advance(clock_.Now()), clock_.Now() + absl::Seconds(32));
}

class SmallServerTransactionsTest : public ServerTransactionsTest {
 protected:
  SmallServerTransactionsTest() : ServerTransactionsTest({.max_answers = 2, .max_pending = 2}) {}

  RequestText Numbered(int n) {
    RequestText request;
    request.call_id = "call" + std::to_string(n);
    request.via = "SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bK" + std::to_string(n);
    return request;
  }
};

TEST_F(SmallServerTransactionsTest, RefusesMoreThanMayWait) {
  const auto first = Receive(Numbered(1));
  ASSERT_TRUE(Receive(Numbered(2)));

  EXPECT_FALSE(Receive(Numbered(3)));
  const auto sent = transport_.TakeSent();
  EXPECT_EQ(ParseOrDie(sent.at(0).bytes)->status(), 503);
  EXPECT_NE(sent[0].bytes.find("Expires: 5"),
            std::string::npos);  // `seconds`, as this printer has it
  EXPECT_EQ(transactions_.stats().overloaded, 1u);

  transactions_.Respond(*first, Ok());
  EXPECT_TRUE(Receive(Numbered(3)));
}

TEST_F(SmallServerTransactionsTest, ForgetsTheOldestAnswerWhenFull) {
  for (int n = 1; n <= 3; ++n) transactions_.Respond(*Receive(Numbered(n)), Ok());

  EXPECT_EQ(transactions_.stats().stored_answers, 2u);
  EXPECT_EQ(transactions_.stats().evicted_answers, 1u);
  EXPECT_FALSE(Receive(Numbered(3)));
  EXPECT_FALSE(Receive(Numbered(2)));
  EXPECT_TRUE(Receive(Numbered(1)));
}

}  // namespace
}  // namespace presence::sip
