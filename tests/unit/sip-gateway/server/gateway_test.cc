#include "sip-gateway/server/gateway.h"

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "sip-gateway/dialogs/flow_name.h"
#include "sip-gateway/locating/static_locator.h"
#include "sip-gateway/sofia/printer.h"
#include "tests/unit/sip-gateway/core_link/fake_stream.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"
#include "tests/unit/sip-gateway/transaction/fake_transport.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A whole gateway between a phone at 192.0.2.1:5070 and a core, both played by the test.
class GatewayTest : public testing::Test {
 protected:
  GatewayTest() { Build({}); }

  void Build(GatewaySettings settings) {
    gateway_.reset();
    settings.link.gateway = "edge-1";
    settings.link.addresses = {"core:7460"};
    settings.product = "sip-gateway/test";
    gateway_ = std::make_unique<Gateway>(std::move(settings), clock_, random_, transport_, locator_,
                                         streams_);
  }
  void Connect() {
    Turn();
    core().Welcome();
    Turn();
  }
  void Turn() { gateway_->Advance(clock_.Now()); }
  void Pass(absl::Duration time) {
    const absl::Time end = clock_.Now() + time;
    while (clock_.Now() < end) {
      clock_.Advance(absl::Milliseconds(50));
      Turn();
    }
  }
  FakeStreams::End& core() { return streams_.last(); }

  Source PhoneAt(std::string_view remote = "192.0.2.1:5070") {
    return {.protocol = Protocol::kUdp,
            .listener = 0,
            .remote = *SocketAddress::Parse(remote),
            .arrived = clock_.Now()};
  }
  // As the transport hands it in.
  void Receive(const std::string& bytes, const Source& source) {
    ScanResult scanned = PreScan(bytes);
    if (const auto* message = std::get_if<ScannedMessage>(&scanned)) {
      gateway_->OnMessage(source, *message);
    } else if (const auto* refusal = std::get_if<Refusal>(&scanned)) {
      gateway_->OnRefused(source, *refusal);
    }
    Turn();
  }
  void Receive(const std::string& bytes) { Receive(bytes, PhoneAt()); }

  // What was sent since the last call; exactly one message is expected.
  std::unique_ptr<Message> Sent() {
    const auto sent = transport_.TakeSent();
    EXPECT_THAT(sent, SizeIs(1));
    return sent.empty() ? nullptr : Parse(sent[0].bytes);
  }
  int SentStatus() {
    const auto message = Sent();
    return message == nullptr ? 0 : message->status();
  }

  static RequestText Publish(const std::string& branch = "1") {
    RequestText text;
    text.Method("PUBLISH").With("Event: presence\nContent-Type: application/pidf+xml\n").body =
        "<p/>";
    text.via = "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK" + branch + ";rport\n";
    text.call_id = "Call-ID: publish-" + branch + "\n";
    return text;
  }
  static RequestText Subscribe(const std::string& branch = "1") {
    RequestText text;
    text.Method("SUBSCRIBE").With("Event: presence\nContact: <sip:bob@192.0.2.1:5070>\n");
    text.via = "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK" + branch + ";rport\n";
    text.call_id = "Call-ID: subscribe-" + branch + "\n";
    return text;
  }
  v1::ConnectResponse Published() {
    v1::ConnectResponse frame;
    v1::CommandReply& reply = *frame.add_replies();
    reply.set_command_id(core().Commands().back().command_id());
    reply.mutable_publish()->set_etag("etag-1");
    reply.mutable_publish()->mutable_expiry()->set_seconds(1800);
    return frame;
  }
  v1::ConnectResponse Subscribed() {
    v1::ConnectResponse frame;
    v1::CommandReply& reply = *frame.add_replies();
    reply.set_command_id(core().Commands().back().command_id());
    reply.mutable_subscribe()->set_local_tag("ours");
    reply.mutable_subscribe()->mutable_expiry()->set_seconds(600);
    return frame;
  }
  v1::ConnectResponse Refused(v1::ErrorReason reason) {
    v1::ConnectResponse frame;
    v1::CommandReply& reply = *frame.add_replies();
    reply.set_command_id(core().Commands().back().command_id());
    reply.mutable_error()->set_reason(reason);
    return frame;
  }
  static v1::ConnectResponse Instructed(uint32_t cseq = 1) {
    v1::ConnectResponse frame;
    frame.add_bodies("<p/>");
    v1::NotifyInstruction& instruction = *frame.add_instructions();
    v1::Dialog& dialog = *instruction.mutable_dialog();
    dialog.set_call_id("subscribe-1");
    dialog.set_local_tag("ours");
    dialog.set_remote_tag("1928301774");
    dialog.set_local_uri("sip:alice@example.com");
    dialog.set_remote_uri("sip:alice@example.com");
    dialog.set_remote_target("sip:bob@192.0.2.1:5070");
    dialog.set_local_contact("sip:192.0.2.1:5060");
    instruction.set_cseq(cseq);
    instruction.set_epoch(1);
    instruction.set_event("presence");
    instruction.set_state(v1::SUBSCRIPTION_STATE_ACTIVE);
    instruction.mutable_expiry()->set_seconds(600);
    instruction.set_content_type("application/pidf+xml");
    instruction.set_body(1);
    return frame;
  }

  ManualClock clock_;
  SeededRandom random_{5};
  // The gateway's addresses are elsewhere than the phone's; FakeTransport listens on
  // 192.0.2.1:5060.
  FakeTransport transport_;
  StaticLocator locator_{clock_};
  FakeStreams streams_;
  std::unique_ptr<Gateway> gateway_;
};

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
TEST_F(GatewayTest, RemembersTheFlowOfASubscribeAndTellsOfItsEnd) {
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
  transport_.Close(flow);
  gateway_->OnFlowClosed(flow, SendFailure::kClosed);
  gateway_->OnFlowClosed(flow + 1, SendFailure::kClosed);  // no dialog on it
  Turn();
  EXPECT_THAT(core().frames.back().closed_flows(), ElementsAre(FlowName(flow)));
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

// P20, R11: 503 with Retry-After, never a hang.
TEST_F(GatewayTest, Answers503WhenThereIsNoCore) {
  Pass(absl::Seconds(3));

  Receive(Publish().Text());

  const auto answer = Sent();
  EXPECT_EQ(answer->status(), 503);
  EXPECT_GT(answer->retry_after(), 0u);
}

TEST_F(GatewayTest, Answers503WithinTwoSecondsWhenTheCoreFallsSilent) {
  Connect();
  Receive(Publish().Text());

  Pass(absl::Milliseconds(2100));

  const auto answer = Sent();
  EXPECT_EQ(answer->status(), 503);
  EXPECT_GT(answer->retry_after(), 0u);
}

TEST_F(GatewayTest, CarriesAPublishThroughTheLossOfTheStream) {
  Connect();
  Receive(Publish().Text());
  core().Close();
  Pass(absl::Milliseconds(200));
  core().Welcome();
  Turn();
  ASSERT_THAT(core().Commands(), SizeIs(1));

  core().Deliver(Published());

  EXPECT_EQ(SentStatus(), 200);
}

// N01
TEST_F(GatewayTest, SendsAnInstructedNotifyAndReportsItsAnswer) {
  Connect();

  core().Deliver(Instructed());
  const auto sent = transport_.TakeSent();
  ASSERT_THAT(sent, SizeIs(1));
  const auto notify = Parse(sent[0].bytes);
  EXPECT_EQ(notify->method(), "NOTIFY");
  EXPECT_EQ(notify->header("Subscription-State"), "active;expires=600");
  EXPECT_EQ(notify->body(), "<p/>");

  Receive(PrintResponse(*notify, ResponseSpec()));
  ASSERT_THAT(core().Results(), SizeIs(1));
  EXPECT_EQ(core().Results()[0].code(), 200u);
  EXPECT_EQ(core().Results()[0].id().local_tag(), "ours");
}

TEST_F(GatewayTest, GreetsANewStreamWithTheNotifiesInFlight) {
  Connect();
  core().Deliver(Instructed());
  core().Close();
  Pass(absl::Milliseconds(200));

  const v1::Hello& hello = core().frames.at(0).hello();
  ASSERT_EQ(hello.in_flight_size(), 1);
  EXPECT_EQ(hello.in_flight(0).local_tag(), "ours");
  EXPECT_EQ(hello.in_flight(0).cseq(), 1u);
}

TEST_F(GatewayTest, StopsAllNotifiesAfterThreeSecondsWithoutACore) {
  Connect();
  core().Deliver(Instructed());
  core().Close();
  Pass(absl::Seconds(1));
  EXPECT_THAT(transport_.TakeSent(), Not(IsEmpty()));  // it still retransmits

  for (int i = 0; i < 60; ++i) {
    if (core().events != nullptr) core().Close();
    Pass(absl::Milliseconds(50));
  }
  transport_.TakeSent();
  Pass(absl::Seconds(35));

  EXPECT_THAT(transport_.TakeSent(), IsEmpty());
  EXPECT_EQ(gateway_->stats().notifier.given_up, 1u);
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

TEST_F(GatewayTest, FinishesWhatIsUnderWayWhileDraining) {
  Connect();
  Receive(Publish("1").Text());
  core().Deliver(Instructed());
  const auto notify = Sent();
  gateway_->StartDraining();

  Receive(Publish("2").Text());
  const auto refusal = Sent();
  EXPECT_EQ(refusal->status(), 503);
  EXPECT_GT(refusal->retry_after(), 0u);
  EXPECT_FALSE(gateway_->is_drained());

  core().Deliver(Published());
  EXPECT_EQ(SentStatus(), 200);
  EXPECT_FALSE(gateway_->is_drained());
  Receive(PrintResponse(*notify, ResponseSpec()));
  EXPECT_TRUE(gateway_->is_drained());
}

}  // namespace
}  // namespace presence::sip
