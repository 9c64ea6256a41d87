#include "sip-gateway/dialogs/notifier.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "sip-gateway/dialogs/flow_name.h"
#include "sip-gateway/dialogs/hop_memory.h"
#include "sip-gateway/locating/static_locator.h"
#include "sip-gateway/sofia/printer.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"
#include "tests/unit/sip-gateway/transaction/fake_transport.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Listeners of FakeTransport: 0 is UDP, 1 is TCP, both at 192.0.2.1:5060.
class NotifierTest : public testing::Test {
 protected:
  static v1::NotifyInstruction Instruction(const std::string& tag = "d1", uint32_t cseq = 1) {
    v1::NotifyInstruction instruction;
    v1::Dialog& dialog = *instruction.mutable_dialog();
    dialog.set_call_id("call-1");
    dialog.set_local_tag(tag);
    dialog.set_remote_tag("theirs");
    dialog.set_local_uri("sip:alice@example.com");
    dialog.set_remote_uri("sip:bob@example.com");
    dialog.set_remote_target("sip:bob@192.0.2.77:5070");
    dialog.set_local_contact("sip:192.0.2.1:5060");
    instruction.set_cseq(cseq);
    instruction.set_epoch(1);
    instruction.set_event("presence");
    instruction.set_state(v1::SUBSCRIPTION_STATE_ACTIVE);
    instruction.mutable_expiry()->set_seconds(100);
    instruction.set_content_type("application/pidf+xml");
    return instruction;
  }
  static v1::NotifyInstruction To(const std::string& target) {
    v1::NotifyInstruction instruction = Instruction();
    instruction.mutable_dialog()->set_remote_target(target);
    return instruction;
  }

  void Answer(size_t sent, int status, const std::vector<Header>& headers = {}) {
    const auto request = Parse(transport_.sent.at(sent).bytes);
    ResponseSpec spec;
    spec.status = status;
    spec.headers = headers;
    const auto response = Parse(PrintResponse(*request, spec));
    transactions_.OnResponse(*response);
  }
  void Pass(absl::Duration time) {
    const absl::Time end = clock_.Now() + time;
    while (clock_.Now() < end) {
      clock_.Advance(absl::Milliseconds(100));
      transactions_.Advance(clock_.Now());
    }
  }
  // A connection that is open.
  FlowId OpenFlow() {
    const FlowId flow = transport_.Send(
        {.protocol = Protocol::kTcp, .remote = *SocketAddress::Parse("192.0.2.77:40000")}, "x", 0);
    transport_.sent.clear();
    return flow;
  }
  v1::NotifyInstruction OverFlow(FlowId flow) {
    v1::NotifyInstruction instruction = Instruction();
    instruction.mutable_dialog()->set_flow(FlowName(flow));
    instruction.mutable_dialog()->set_local_contact("sip:192.0.2.1:5060;transport=tcp");
    return instruction;
  }
  // The connection breaks, as the transport would tell.
  void Break(FlowId flow) {
    transport_.Close(flow);
    transactions_.OnFlowClosed(flow, SendFailure::kClosed);
  }
  std::vector<std::string> Outcomes() const {
    std::vector<std::string> outcomes;
    for (const auto& r : results_) {
      outcomes.push_back(r.id().local_tag() + "/" + std::to_string(r.id().cseq()) + " " +
                         v1::NotifyResult::Outcome_Name(r.outcome()).substr(8) +
                         (r.code() == 0 ? "" : " " + std::to_string(r.code())));
    }
    return outcomes;
  }
  void Build(const NotifierConfig& config) {
    notifier_ = std::make_unique<Notifier>(
        config, transport_, transactions_, locator_, contacts_,
        [this](v1::NotifyResult result) { results_.push_back(std::move(result)); });
  }
  NotifierTest() { Build({.product = "ua/1"}); }

  ManualClock clock_;
  SeededRandom random_{3};
  FakeTransport transport_;
  StaticLocator locator_{clock_};
  HopMemory hop_memory_{locator_};
  ClientTransactions transactions_{clock_, random_, transport_, {}, &hop_memory_};
  LocalContacts contacts_{transport_.listeners()};
  std::vector<v1::NotifyResult> results_;
  std::unique_ptr<Notifier> notifier_;
};

// N01
TEST_F(NotifierTest, SendsToTheContactFromTheAddressTheWatcherKnows) {
  notifier_->Instruct(Instruction(), "<p/>");

  ASSERT_THAT(transport_.sent, SizeIs(1));
  EXPECT_EQ(transport_.sent[0].hop.remote.ToString(), "192.0.2.77:5070");
  EXPECT_EQ(transport_.sent[0].hop.protocol, Protocol::kUdp);
  EXPECT_EQ(transport_.sent[0].hop.listener, 0);
  const auto notify = Parse(transport_.sent[0].bytes);
  EXPECT_EQ(notify->method(), "NOTIFY");
  EXPECT_EQ(notify->body(), "<p/>");
  EXPECT_EQ(notify->header("User-Agent"), "ua/1");
}

TEST_F(NotifierTest, ReportsTheAnswer) {
  notifier_->Instruct(Instruction(), "");
  EXPECT_EQ(notifier_->in_flight(), 1u);

  Answer(0, 200);

  EXPECT_THAT(Outcomes(), ElementsAre("d1/1 ANSWERED 200"));
  EXPECT_EQ(notifier_->in_flight(), 0u);
}

// N05
TEST_F(NotifierTest, ReportsRetryAfter) {
  notifier_->Instruct(Instruction(), "");

  Answer(0, 503, {{"Retry-After", "120"}});

  ASSERT_THAT(Outcomes(), ElementsAre("d1/1 ANSWERED 503"));
  EXPECT_EQ(results_[0].retry_after().seconds(), 120);
}

// N04
TEST_F(NotifierTest, ReportsATimeoutAfterTimerF) {
  notifier_->Instruct(Instruction(), "");

  Pass(absl::Seconds(31));
  EXPECT_THAT(Outcomes(), IsEmpty());
  Pass(absl::Seconds(2));
  EXPECT_THAT(Outcomes(), ElementsAre("d1/1 TIMEOUT"));
}

// S13
TEST_F(NotifierTest, SendsToTheFirstRoute) {
  v1::NotifyInstruction instruction = Instruction();
  instruction.mutable_dialog()->add_route_set("<sip:192.0.2.50:5090;transport=tcp;lr>");

  notifier_->Instruct(instruction, "");

  ASSERT_THAT(transport_.sent, SizeIs(1));
  EXPECT_EQ(transport_.sent[0].hop.remote.ToString(), "192.0.2.50:5090");
  EXPECT_EQ(transport_.sent[0].hop.protocol, Protocol::kTcp);
}

TEST_F(NotifierTest, TriesTheTargetsOfANameInTheirOrder) {
  locator_.Set("phones.example.com",
               std::vector<Target>{{TargetProtocol::kUdp, "192.0.2.60", 5060},
                                   {TargetProtocol::kUdp, "192.0.2.61", 5060}});
  notifier_->Instruct(To("sip:bob@phones.example.com"), "");

  Answer(0, 503);

  ASSERT_THAT(transport_.sent, SizeIs(2));
  EXPECT_EQ(transport_.sent[0].hop.remote.ToString(), "192.0.2.60:5060");
  EXPECT_EQ(transport_.sent[1].hop.remote.ToString(), "192.0.2.61:5060");
  EXPECT_THAT(Outcomes(), IsEmpty());
}

TEST_F(NotifierTest, DoesNotStartAtATargetThatJustFailed) {
  locator_.Set("phones.example.com",
               std::vector<Target>{{TargetProtocol::kUdp, "192.0.2.60", 5060},
                                   {TargetProtocol::kUdp, "192.0.2.61", 5060}});
  notifier_->Instruct(To("sip:bob@phones.example.com"), "");
  Answer(0, 503);
  Answer(1, 200);
  v1::NotifyInstruction next = To("sip:bob@phones.example.com");
  next.set_cseq(2);

  notifier_->Instruct(next, "");

  EXPECT_EQ(transport_.sent.back().hop.remote.ToString(), "192.0.2.61:5060");
}

TEST_F(NotifierTest, WaitsForTheDns) {
  locator_.Hold();
  locator_.Set("phones.example.com",
               std::vector<Target>{{TargetProtocol::kUdp, "192.0.2.60", 5060}});
  notifier_->Instruct(To("sip:bob@phones.example.com"), "");
  EXPECT_THAT(transport_.sent, IsEmpty());
  EXPECT_EQ(notifier_->in_flight(), 1u);

  locator_.Release();

  EXPECT_THAT(transport_.sent, SizeIs(1));
}

TEST_F(NotifierTest, ReportsWhatTheDnsCannotFind) {
  notifier_->Instruct(To("sip:bob@nowhere.example.com"), "");

  EXPECT_THAT(Outcomes(), ElementsAre("d1/1 TRANSPORT_ERROR"));
}

TEST_F(NotifierTest, ReportsWhatCanNeverBeSent) {
  notifier_->Instruct(To("sips:bob@192.0.2.77"), "");  // there is no TLS listener
  notifier_->Instruct(To("not a uri"), "");

  EXPECT_THAT(Outcomes(), ElementsAre("d1/1 UNSENDABLE", "d1/1 UNSENDABLE"));
  EXPECT_THAT(transport_.sent, IsEmpty());
}

TEST_F(NotifierTest, RefusesToSendToItself) {
  notifier_->Instruct(To("sip:bob@192.0.2.1:5060"), "");

  EXPECT_THAT(Outcomes(), ElementsAre("d1/1 UNSENDABLE"));
  EXPECT_THAT(transport_.sent, IsEmpty());
  EXPECT_EQ(notifier_->stats().loops, 1u);
}

// N06, DESIGN 1.3: the newest state wins.
TEST_F(NotifierTest, StopsTheOlderNotifyOfADialogForANewerOne) {
  notifier_->Instruct(Instruction("d1", 1), "old");
  notifier_->Instruct(Instruction("d1", 2), "new");
  EXPECT_THAT(Outcomes(), ElementsAre("d1/1 SUPERSEDED"));
  transport_.sent.clear();

  Pass(absl::Seconds(3));

  ASSERT_THAT(transport_.sent, testing::Not(IsEmpty()));
  for (const auto& sent : transport_.sent) EXPECT_EQ(Parse(sent.bytes)->body(), "new");
}

TEST_F(NotifierTest, IgnoresALateAnswerToAStoppedNotify) {
  notifier_->Instruct(Instruction("d1", 1), "old");
  notifier_->Instruct(Instruction("d1", 2), "new");

  Answer(0, 481);
  EXPECT_THAT(Outcomes(), ElementsAre("d1/1 SUPERSEDED"));

  Answer(1, 200);
  EXPECT_THAT(Outcomes(), ElementsAre("d1/1 SUPERSEDED", "d1/2 ANSWERED 200"));
}

TEST_F(NotifierTest, DropsAnOlderInstructionThatComesLate) {
  notifier_->Instruct(Instruction("d1", 2), "new");
  notifier_->Instruct(Instruction("d1", 1), "old");

  EXPECT_THAT(Outcomes(), ElementsAre("d1/1 SUPERSEDED"));
  EXPECT_THAT(transport_.sent, SizeIs(1));
}

TEST_F(NotifierTest, PrefersTheHigherEpochWhateverItsCSeq) {
  notifier_->Instruct(Instruction("d1", 9), "old");
  v1::NotifyInstruction newer = Instruction("d1", 3);
  newer.set_epoch(2);

  notifier_->Instruct(newer, "new");

  EXPECT_THAT(Outcomes(), ElementsAre("d1/9 SUPERSEDED"));
  EXPECT_EQ(Parse(transport_.sent.back().bytes)->body(), "new");
}

TEST_F(NotifierTest, TakesARepeatedInstructionForTheSame) {
  notifier_->Instruct(Instruction(), "x");
  notifier_->Instruct(Instruction(), "x");
  EXPECT_THAT(transport_.sent, SizeIs(1));

  Answer(0, 200);

  EXPECT_THAT(Outcomes(), ElementsAre("d1/1 ANSWERED 200"));
}

TEST_F(NotifierTest, CancelsTheLookupOfAStoppedNotify) {
  locator_.Hold();
  locator_.Set("phones.example.com",
               std::vector<Target>{{TargetProtocol::kUdp, "192.0.2.60", 5060}});
  notifier_->Instruct(To("sip:bob@phones.example.com"), "old");
  notifier_->Instruct(Instruction("d1", 2), "new");

  locator_.Release();

  ASSERT_THAT(transport_.sent, SizeIs(1));
  EXPECT_EQ(Parse(transport_.sent[0].bytes)->body(), "new");
}

// N08
TEST_F(NotifierTest, UsesTheFlowOfTheSubscribe) {
  const FlowId flow = OpenFlow();

  notifier_->Instruct(OverFlow(flow), "");

  ASSERT_THAT(transport_.sent, SizeIs(1));
  EXPECT_EQ(transport_.sent[0].hop.flow, flow);
  EXPECT_FALSE(transport_.sent[0].hop.may_connect);
  EXPECT_THAT(transport_.sent[0].bytes, testing::HasSubstr("Via: SIP/2.0/TCP"));
}

// N08
TEST_F(NotifierTest, FallsBackToTheContactWhenTheFlowIsGone) {
  const FlowId flow = OpenFlow();
  transport_.Close(flow);

  notifier_->Instruct(OverFlow(flow), "");

  ASSERT_THAT(transport_.sent, SizeIs(1));
  EXPECT_EQ(transport_.sent[0].hop.remote.ToString(), "192.0.2.77:5070");
}

// N08
TEST_F(NotifierTest, FallsBackToTheContactWhenTheFlowBreaksUnderway) {
  const FlowId flow = OpenFlow();
  notifier_->Instruct(OverFlow(flow), "");

  Break(flow);

  ASSERT_THAT(transport_.sent, SizeIs(2));
  EXPECT_EQ(transport_.sent[1].hop.remote.ToString(), "192.0.2.77:5070");
  EXPECT_EQ(notifier_->stats().flow_fallbacks, 1u);
  Answer(1, 200);
  EXPECT_THAT(Outcomes(), ElementsAre("d1/1 ANSWERED 200"));
}

// N08
TEST_F(NotifierTest, ReportsNoFlowWhenTheContactCannotBeReachedEither) {
  const FlowId flow = OpenFlow();
  v1::NotifyInstruction instruction = OverFlow(flow);
  instruction.mutable_dialog()->set_remote_target("sip:bob@hidden.example.com;transport=tcp");
  notifier_->Instruct(instruction, "");

  Break(flow);

  EXPECT_THAT(Outcomes(), ElementsAre("d1/1 NO_FLOW"));
}

// N08
TEST_F(NotifierTest, AsksForTheRemovalAfterALostFlowWhereConfigured) {
  Build({.product = "", .removes_on_flow_lost = true});
  const FlowId flow = OpenFlow();
  v1::NotifyInstruction instruction = OverFlow(flow);
  instruction.mutable_dialog()->set_remote_target("sip:bob@hidden.example.com;transport=tcp");
  notifier_->Instruct(instruction, "");

  Break(flow);

  EXPECT_THAT(Outcomes(), ElementsAre("d1/1 FLOW_LOST_REMOVE"));
  EXPECT_EQ(notifier_->stats().no_flow, 1u);
}

TEST_F(NotifierTest, GivesUpEverythingWithoutAResult) {
  locator_.Hold();
  notifier_->Instruct(Instruction("d1"), "");
  v1::NotifyInstruction waiting = To("sip:bob@phones.example.com");
  waiting.mutable_dialog()->set_local_tag("d2");
  notifier_->Instruct(waiting, "");
  EXPECT_THAT(notifier_->InFlight(), SizeIs(2));
  transport_.sent.clear();

  notifier_->GiveUpAll();
  locator_.Release();
  Pass(absl::Seconds(40));

  EXPECT_THAT(transport_.sent, IsEmpty());
  EXPECT_THAT(results_, IsEmpty());
  EXPECT_EQ(notifier_->stats().given_up, 2u);
  EXPECT_EQ(notifier_->in_flight(), 0u);
}

// N12
TEST_F(NotifierTest, SendsALongNotifyOverTcp) {
  notifier_->Instruct(Instruction(), std::string(2000, 'x'));

  ASSERT_THAT(transport_.sent, SizeIs(1));
  EXPECT_EQ(transport_.sent[0].hop.protocol, Protocol::kTcp);
  EXPECT_EQ(Parse(transport_.sent[0].bytes)->body().size(), 2000u);
}

}  // namespace
}  // namespace presence::sip
