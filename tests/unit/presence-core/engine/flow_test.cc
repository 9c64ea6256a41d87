#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Two gateways of one group, "one" and "two"; bob's phone is connected to "two".
class FlowTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    link_one = Attach("one", one);
    link_two = Attach("two", two);
    bob = Subscription("alice", "bob");
    bob.dialog.gateway = "edge";
    bob.dialog.flow = "f1";
    bob.dialog.flow_gateway = "two";
  }

  Engine::LinkId Attach(const std::string& name, RecordingLink& to, size_t with_credit = 100) {
    engine->Reconcile({"edge", name}, {});
    const Engine::LinkId id = engine->AttachLink({"edge", name}, to, with_credit);
    executor.RunUntilIdle();
    return id;
  }
  void SubscribeBob() {
    tag = Subscribe(bob)->id;
    AnswerLast(two);
    two.sent.clear();
  }
  void AnswerLast(RecordingLink& at, NotifyOutcome outcome = NotifyOutcome::kAnswered) {
    engine->Report({ReportOn(at.sent.back(), outcome, 200)});
    executor.RunUntilIdle();
  }
  static std::vector<std::string> Bodies(const RecordingLink& of) {
    std::vector<std::string> bodies;
    for (const Instruction& i : of.sent) bodies.emplace_back(i.document.body());
    return bodies;
  }

  RecordingLink one;
  RecordingLink two;
  Engine::LinkId link_one = 0;
  Engine::LinkId link_two = 0;
  SubscribeCommand bob;
  LocalTag tag;
};

// Two gateways may overtake each other: the phone sees NOTIFY 2 before 1, and answers 1 as out of
// order (RFC 6665 §4.1.3, RFC 3261 §12.2.2: 500), or as it likes.
TEST_F(FlowTest, ALateAnswerToAnOvertakenNotifyEndsNothing) {
  for (const int code : {500, 481, 408}) {
    SCOPED_TRACE(code);
    bob = Subscription("alice", "bob" + std::to_string(code));
    bob.dialog.gateway = "edge";
    bob.dialog.flow = "f1";
    bob.dialog.flow_gateway = "two";
    SubscribeBob();
    Publish("alice", "open" + std::to_string(code));
    ASSERT_THAT(two.sent, SizeIs(1));
    one.sent.clear();
    bob.local_tag = tag.text();
    bob.cseq = 2;
    bob.dialog.flow = "f2";
    bob.dialog.flow_gateway = "one";
    Subscribe(bob);
    ASSERT_THAT(one.sent, SizeIs(1));

    engine->Report({ReportOn(two.sent.back(), NotifyOutcome::kAnswered, code)});
    executor.RunUntilIdle();

    EXPECT_THAT(one.sent, SizeIs(1));  // the newer one is still on its way, and said nothing of
    AnswerLast(one);
    Publish("alice", "closed" + std::to_string(code));
    ASSERT_THAT(one.sent, SizeIs(2));
    EXPECT_EQ(one.sent[1].cseq, one.sent[0].cseq + 1);
    EXPECT_EQ(engine->CountSubscribers(Key("alice")), 1u);
    AnswerLast(one);
    bob.cseq = 3;
    bob.expiry = absl::ZeroDuration();
    Subscribe(bob);
    AnswerLast(one);
  }
}

// N08
TEST_F(FlowTest, ADialogOnAConnectionGoesThroughTheGatewayThatHoldsIt) {
  SubscribeBob();

  for (const char* text : {"open", "busy", "closed"}) {
    Publish("alice", text);
    AnswerLast(two);
  }

  EXPECT_THAT(two.sent, SizeIs(3));
  EXPECT_THAT(one.sent, IsEmpty());
}

TEST_F(FlowTest, ADialogWithoutAConnectionGoesThroughAnyGatewayOfTheGroup) {
  bob.dialog.flow = bob.dialog.flow_gateway = "";
  Subscribe(bob);
  AnswerLast(one);
  engine->DetachLink(link_one);

  Publish("alice", "open");

  EXPECT_THAT(Bodies(two), ElementsAre("open"));
}

// N08
TEST_F(FlowTest, WaitsForTheCreditOfItsGatewayThoughAnotherHasSome) {
  engine->DetachLink(link_two);
  link_two = Attach("two", two, 1);
  SubscribeBob();  // that was the one
  Publish("alice", "open");
  EXPECT_THAT(two.sent, IsEmpty());

  engine->AddCredit(link_one, 10);
  executor.RunUntilIdle();
  EXPECT_THAT(two.sent, IsEmpty());
  engine->AddCredit(link_two, 1);
  executor.RunUntilIdle();

  EXPECT_THAT(Bodies(two), ElementsAre("open"));
  EXPECT_THAT(one.sent, IsEmpty());
}

// N08
TEST_F(FlowTest, WaitsForAGatewayThatIsBackSoon) {
  SubscribeBob();
  engine->DetachLink(link_two);
  Publish("alice", "open");
  executor.RunFor(absl::Seconds(2.5));
  EXPECT_THAT(one.sent, IsEmpty());

  Attach("two", two);

  EXPECT_THAT(Bodies(two), ElementsAre("open"));
  EXPECT_THAT(one.sent, IsEmpty());
}

// N08: a lost flow means the Contact, which any gateway of the group can reach or not.
TEST_F(FlowTest, AGatewayThatStaysAwayHasLostItsConnections) {
  SubscribeBob();
  engine->DetachLink(link_two);
  Publish("alice", "open");

  executor.RunFor(absl::Seconds(3.1));
  EXPECT_THAT(Bodies(one), ElementsAre("open"));
  AnswerLast(one);
  Publish("alice", "busy");

  EXPECT_THAT(Bodies(one), ElementsAre("open", "busy+open")) << "not three seconds each time";
}

// N08
TEST_F(FlowTest, WaitsForTheGroupWhenAllOfItStaysAway) {
  SubscribeBob();
  engine->DetachLink(link_one);
  engine->DetachLink(link_two);
  Publish("alice", "open");
  executor.RunFor(absl::Seconds(10));

  Attach("one", one);

  EXPECT_THAT(Bodies(one), ElementsAre("open"));
}

// N08: the connection was there all the time, only the stream between gateway and core was not.
TEST_F(FlowTest, WhatWasParkedWhileItsGatewayWasAwayIsToldWhenItIsBack) {
  SubscribeBob();
  engine->DetachLink(link_two);
  Publish("alice", "open");
  executor.RunFor(absl::Seconds(4));
  AnswerLast(one, NotifyOutcome::kNoFlow);
  Publish("alice", "busy");
  EXPECT_THAT(one.sent, SizeIs(1));

  Attach("two", two);

  EXPECT_THAT(Bodies(two), ElementsAre("busy+open"));
}

// N08, W07: the version that was lost leaves a gap, so what follows is a full state.
TEST_F(FlowTest, WatcherInformationThatWasParkedGoesOnWithAFullState) {
  SubscribeCommand winfo = Subscription("alice", "alice", "presence.winfo");
  winfo.dialog.gateway = "edge";
  winfo.dialog.flow = "f1";
  winfo.dialog.flow_gateway = "two";
  Subscribe(winfo);
  AnswerLast(two);
  Subscribe("alice", "carol");
  AnswerLast(two, NotifyOutcome::kNoFlow);
  engine->DetachLink(link_two);

  Attach("two", two);

  EXPECT_THAT(Bodies(two), ElementsAre("full 0:", "partial 1: carol@example.com active subscribe;",
                                       "full 2: carol@example.com active subscribe;"));
}

// S18
TEST_F(FlowTest, TheEndIsToldThroughTheGatewayThatHoldsTheConnection) {
  bob.expiry = absl::Seconds(60);
  SubscribeBob();

  executor.RunFor(absl::Seconds(61));

  ASSERT_THAT(two.sent, SizeIs(1));
  EXPECT_EQ(two.sent[0].state, SubscriptionState::kTerminated);
  EXPECT_THAT(one.sent, IsEmpty());
}

// N08
TEST_F(FlowTest, ARefreshThroughAnotherGatewayMovesTheDialogThere) {
  SubscribeBob();
  engine->DetachLink(link_two);
  Publish("alice", "open");
  bob.local_tag = tag.text();
  bob.cseq = 2;
  bob.dialog.flow = "f2";
  bob.dialog.flow_gateway = "one";

  Subscribe(bob);

  EXPECT_THAT(Bodies(one), ElementsAre("open"));
}

// N08: a phone whose connection broke before it read the answer sends the same request again over
// a new one, and the first NOTIFY with the state follows there. The first request as well as a
// refresh.
TEST_F(FlowTest, ARequestRepeatedOverANewConnectionMovesTheDialogThere) {
  Publish("alice", "open");
  for (const int cseq : {1, 2}) {
    SCOPED_TRACE(cseq);
    bob.cseq = cseq;
    bob.dialog.flow = "f1";
    bob.dialog.flow_gateway = "two";
    tag = Subscribe(bob)->id;
    engine->Report({ReportOn(two.sent.back(), NotifyOutcome::kNoFlow, 0)});
    executor.RunUntilIdle();
    one.sent.clear();
    bob.dialog.flow = "f2";
    bob.dialog.flow_gateway = "one";

    const auto again = Subscribe(bob);

    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->id, tag);
    ASSERT_THAT(Bodies(one), ElementsAre("open"));
    EXPECT_EQ(one.sent[0].cseq, two.sent.back().cseq + 1);
    AnswerLast(one);
    bob.local_tag = tag.text();
  }
  EXPECT_EQ(engine->CountSubscribers(Key("alice")), 1u);
}

// N08: the phone's copy was on its way into the core when the end of the NOTIFY into the dead
// connection was reported; its 200 must not be followed by silence.
TEST_F(FlowTest, ALateReportDoesNotRemoveADialogThatMovedByARepeatedRequest) {
  SubscribeBob();
  Publish("alice", "open");
  Instruction into_the_dead = two.sent.back();
  bob.local_tag = tag.text();
  bob.dialog.flow = "f2";
  bob.dialog.flow_gateway = "one";
  bob.cseq = 1;
  Result<SubscribeOutcome> again;
  engine->Subscribe(bob, [&](absl::StatusOr<SubscribeOutcome> o) { again = std::move(o); });

  engine->Report({ReportOn(into_the_dead, NotifyOutcome::kFlowLostRemove, 0)});
  executor.RunUntilIdle();

  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(engine->CountSubscribers(Key("alice")), 1u);
  EXPECT_THAT(Bodies(one), ElementsAre("open"));
}

// A copy that comes over the connection the dialog has, as on UDP, changes nothing.
TEST_F(FlowTest, ARequestRepeatedOverTheSameConnectionChangesNothing) {
  SubscribeBob();

  Subscribe(bob);

  EXPECT_THAT(two.sent, IsEmpty());
  EXPECT_THAT(one.sent, IsEmpty());
}

// What may become of a NOTIFY: outcome and code.
class LateReportTest : public FlowTest,
                       public testing::WithParamInterface<std::pair<NotifyOutcome, int>> {};

// N08: the refresh came over another connection and waits for credit there when the end of the
// NOTIFY before it is reported. That neither parks the dialog nor removes the subscription.
TEST_P(LateReportTest, DoesNotTouchADialogThatWasRefreshedSince) {
  SubscribeBob();
  engine->DetachLink(link_one);
  link_one = Attach("one", one, 0);
  Publish("alice", "open");
  bob.local_tag = tag.text();
  bob.cseq = 2;
  bob.dialog.flow = "f2";
  bob.dialog.flow_gateway = "one";
  Subscribe(bob);

  engine->Report({ReportOn(two.sent.back(), GetParam().first, GetParam().second)});
  engine->AddCredit(link_one, 2);
  executor.RunUntilIdle();
  ASSERT_THAT(Bodies(one), ElementsAre("open"));
  AnswerLast(one);
  Publish("alice", "busy");

  EXPECT_THAT(Bodies(one), ElementsAre("open", "busy+open"));
}

INSTANTIATE_TEST_SUITE_P(Outcomes, LateReportTest,
                         testing::Values(std::pair(NotifyOutcome::kNoFlow, 0),
                                         std::pair(NotifyOutcome::kFlowLostRemove, 0),
                                         std::pair(NotifyOutcome::kTimeout, 0),
                                         std::pair(NotifyOutcome::kAnswered, 481),
                                         std::pair(NotifyOutcome::kAnswered, 200)));

}  // namespace
}  // namespace presence
