#include "sip-gateway/dialogs/flow_name.h"
#include "tests/unit/sip-gateway/server/gateway_fixture.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// P04
TEST_F(GatewayTest, CarriesAPublishToTheCoreAndItsAnswerBack) {
  Connect();
  Receive(Publish().Text());
  ASSERT_THAT(core().Commands(), SizeIs(1));
  EXPECT_EQ(core().Commands()[0].publish().presentity(), "sip:alice@example.com");
  EXPECT_THAT(transport_.sent, IsEmpty());  // nothing before the core has said so

  core().Deliver(Published());

  ASSERT_THAT(transport_.sent, SizeIs(1));
  EXPECT_EQ(transport_.sent[0].hop.remote.ToString(), "192.0.2.1:5070");
  const auto answer = Sent();
  EXPECT_EQ(answer->status(), 200);
  EXPECT_EQ(answer->header("SIP-ETag"), "etag-1");
  EXPECT_EQ(answer->expires(), 1800u);
  EXPECT_NE(answer->to().tag, "");
}

// P21 in part: RFC 3261 17.2.2, the same bytes again and no second command.
TEST_F(GatewayTest, AnswersARetransmissionWithTheSameBytes) {
  Connect();
  Receive(Publish().Text());
  Receive(Publish().Text());  // not yet answered: absorbed
  core().Deliver(Published());
  const std::string first = transport_.TakeSent().at(0).bytes;

  Receive(Publish().Text());

  EXPECT_THAT(core().Commands(), SizeIs(1));
  EXPECT_EQ(transport_.TakeSent().at(0).bytes, first);
}

// The answer does not fit the cache then: the retransmission asks the core again, which knows it.
TEST_F(GatewayTest, AnswersARefusalThatNamesAListAgain) {
  Connect();
  v1::ConnectResponse refusal;
  for (int i = 0; i < 2; ++i) {
    Receive(Publish().Text());
    refusal = Refused(v1::ERROR_REASON_UNSUPPORTED_CONTENT);
    (*refusal.mutable_replies(0)->mutable_error()->mutable_metadata())["accept"] = "text/other";
    core().Deliver(refusal);
    const auto answer = Sent();
    EXPECT_EQ(answer->status(), 415);
    EXPECT_EQ(answer->header("Accept"), "text/other");
  }
}

// P13, P15, P16, P02, S07: the refusals of the core.
TEST_F(GatewayTest, AnswersWithTheRefusalOfTheCore) {
  Connect();
  for (const auto& [reason, status] : {std::pair(v1::ERROR_REASON_INVALID_FIELD, 400),
                                       {v1::ERROR_REASON_ETAG_MISMATCH, 412},
                                       {v1::ERROR_REASON_STORAGE_UNAVAILABLE, 503},
                                       {v1::ERROR_REASON_UNKNOWN_EVENT, 489}}) {
    Receive(Publish(std::to_string(reason)).Text());
    core().Deliver(Refused(reason));
    EXPECT_EQ(SentStatus(), status);
  }
}

// S01, S13, N09
TEST_F(GatewayTest, AnswersASubscribeWithContactTagAndRecordRoute) {
  Connect();
  Receive(Subscribe().With("Record-Route: <sip:p1.example.com;lr>\n").Text());
  const v1::GatewayCommand command = core().Commands().at(0);
  EXPECT_EQ(command.subscribe().dialog().local_contact(), "sip:192.0.2.1:5060");
  EXPECT_EQ(command.subscribe().dialog().gateway(), "edge-1");
  EXPECT_EQ(command.subscribe().dialog().flow(), "");

  core().Deliver(Subscribed());

  const auto answer = Sent();
  EXPECT_EQ(answer->status(), 200);
  EXPECT_EQ(answer->to().tag, "ours");
  EXPECT_EQ(answer->expires(), 600u);
  EXPECT_EQ(answer->contacts()->at(0).uri, "sip:192.0.2.1:5060");
  EXPECT_THAT(answer->record_routes(), ElementsAre("<sip:p1.example.com;lr>"));
}

// S16
TEST_F(GatewayTest, GivesASipsContactToASipsSubscribe) {
  Connect();
  RequestText text = Subscribe();
  text.start_line = "SUBSCRIBE sips:alice@example.com SIP/2.0";
  Receive(text.Text());

  core().Deliver(Subscribed());

  EXPECT_EQ(Sent()->contacts()->at(0).uri, "sips:192.0.2.1:5060");
  EXPECT_EQ(core().Commands()[0].subscribe().dialog().local_contact(), "sips:192.0.2.1:5060");
}

// N08, N09
TEST_F(GatewayTest, NamesTheFlowOfASubscribeAndAnswersOverIt) {
  Connect();
  const FlowId flow = transport_.Send(
      {.protocol = Protocol::kTcp, .remote = *SocketAddress::Parse("192.0.2.1:40000")}, "x", 0);
  transport_.sent.clear();
  Source source = PhoneAt("192.0.2.1:40000");
  source.protocol = Protocol::kTcp;
  source.listener = 1;
  source.flow = flow;
  RequestText text = Subscribe();
  text.via = "Via: SIP/2.0/TCP 192.0.2.1:5070;branch=z9hG4bK1;alias\n";

  Receive(text.Text(), source);
  const v1::Dialog dialog = core().Commands().at(0).subscribe().dialog();
  EXPECT_EQ(dialog.flow(), FlowName(flow));
  EXPECT_EQ(dialog.local_contact(), "sip:192.0.2.1:5060;transport=tcp");
  EXPECT_THAT(transport_.aliases, ElementsAre(std::pair(flow, 5070)));

  core().Deliver(Subscribed());
  EXPECT_EQ(transport_.sent.at(0).hop.flow, flow);
}

// P02, P30, S09, S14, S23: refused here, without a word to the core.
TEST_F(GatewayTest, RefusesWithoutTheCoreWhatAUasRefuses) {
  Connect();
  RequestText bad_event;
  Receive(bad_event.Method("PUBLISH").With("Event: nonsense\n").Text());
  EXPECT_EQ(SentStatus(), 489);
  RequestText method;
  Receive(method.Method("MESSAGE").Text());
  EXPECT_EQ(SentStatus(), 405);
  RequestText unknown;
  Receive(unknown.Method("FETCH").Text());
  EXPECT_EQ(SentStatus(), 501);
  Receive(Subscribe("9").With("Require: foo\n").Text());
  EXPECT_EQ(SentStatus(), 420);

  EXPECT_THAT(core().Commands(), IsEmpty());
  EXPECT_EQ(gateway_->stats().refused_requests, 4u);
}

// P01, S23
TEST_F(GatewayTest, AnswersADomainThatIsNotServed404) {
  GatewaySettings settings;
  settings.domains = {"example.org"};
  Build(std::move(settings));
  Connect();

  Receive(Publish().Text());

  EXPECT_EQ(SentStatus(), 404);
  EXPECT_THAT(core().Commands(), IsEmpty());
}

// P25
TEST_F(GatewayTest, AnswersOptionsByItself) {
  Connect();
  RequestText text;
  Receive(text.Method("OPTIONS").Text());

  const auto answer = Sent();
  EXPECT_EQ(answer->status(), 200);
  EXPECT_THAT(std::string(*answer->header("Allow")), HasSubstr("PUBLISH, SUBSCRIBE"));
  EXPECT_EQ(answer->header("Allow-Events"), "presence, presence.winfo");
  EXPECT_EQ(answer->header("Accept"), "application/pidf+xml");
}

// P08, P14, P18: what is broken is answered 400 where it can be, and a sound request works right
// after.
TEST_F(GatewayTest, AnswersBrokenRequests400AndGoesOn) {
  Connect();
  std::string too_short = Publish("a").Text();
  too_short.pop_back();
  for (const std::string& bytes :
       {Publish("b").With("SIP-If-Match: a b\n").Text(), Publish("c").With("Expires: x\n").Text(),
        Publish("d").With("Expires: 99999999999\n").Text(), too_short}) {
    Receive(bytes);
    const auto answer = Sent();
    ASSERT_NE(answer, nullptr) << bytes;
    EXPECT_EQ(answer->status(), 400) << bytes;
    EXPECT_NE(answer->to().tag, "");
  }
  EXPECT_THAT(core().Commands(), IsEmpty());

  Receive(Publish("e").Text());
  core().Deliver(Published());
  EXPECT_EQ(SentStatus(), 200);
}

TEST_F(GatewayTest, SaysNothingToWhatCannotBeAnswered) {
  Connect();

  for (const char* bytes : {"garbage\r\n\r\n", "SIP/2.0 200 OK\r\n\r\n", "\r\n\r\n",
                            "PUBLISH sip:a@b SIP/2.0\r\n\r\n"}) {
    Receive(bytes);
    EXPECT_THAT(transport_.TakeSent(), IsEmpty()) << bytes;
  }
}

// S15
TEST_F(GatewayTest, BelievesTrustedPeersOnly) {
  GatewaySettings settings;
  settings.trusted_peers = *TrustedPeers::Parse(std::vector<std::string>{"192.0.2.0/25"});
  settings.sender_header = "Sender";
  Build(std::move(settings));
  Connect();
  const std::string asserted = "P-Asserted-Identity: <sip:robert@example.com>\n";

  Receive(Subscribe("1").With(asserted).Text(), PhoneAt("192.0.2.1:5070"));
  EXPECT_EQ(core().Commands().back().subscribe().watcher(), "sip:robert@example.com");
  Receive(Subscribe("2").With(asserted).Text(), PhoneAt("192.0.2.200:5070"));
  EXPECT_EQ(core().Commands().back().subscribe().watcher(), "sip:alice@example.com");

  // P26
  const std::string sender = "Sender: <sip:alice@192.0.2.7>\n";
  Receive(Publish("3").With(sender).Text(), PhoneAt("192.0.2.1:5070"));
  EXPECT_EQ(core().Commands().back().publish().sender(), "sip:alice@192.0.2.7");
  Receive(Publish("4").With(sender).Text(), PhoneAt("192.0.2.200:5070"));
  EXPECT_EQ(core().Commands().back().publish().sender(), "");
}

// S24
TEST_F(GatewayTest, AnswersTheSameSubscribeByAnotherWay482) {
  Connect();
  Receive(Subscribe().Text());
  RequestText other_way = Subscribe();
  other_way.via = "Via: SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bKother\n";

  Receive(other_way.Text(), PhoneAt("192.0.2.2:5070"));

  EXPECT_EQ(SentStatus(), 482);
  EXPECT_THAT(core().Commands(), SizeIs(1));
}

// S25
TEST_F(GatewayTest, AnswersCancelWithoutTouchingTheRequest) {
  Connect();
  RequestText cancel = Subscribe();
  cancel.Method("CANCEL").extra.clear();
  Receive(cancel.Text());
  EXPECT_EQ(SentStatus(), 481);

  Receive(Subscribe().Text());
  Receive(cancel.Text());
  core().Deliver(Subscribed());

  std::vector<int> statuses;
  for (const auto& sent : transport_.TakeSent()) statuses.push_back(Parse(sent.bytes)->status());
  EXPECT_THAT(statuses, testing::Contains(200));
}

}  // namespace
}  // namespace presence::sip
