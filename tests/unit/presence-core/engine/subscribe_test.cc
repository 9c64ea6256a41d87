#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SubscribeTest : public EngineTest {
 protected:
  SubscribeCommand InDialog(const SubscribeCommand& initial, const LocalTag& tag, uint32_t cseq) {
    SubscribeCommand command = initial;
    command.local_tag = tag.text();
    command.cseq = cseq;
    return command;
  }
};

// S01
TEST_F(SubscribeTest, IsAnsweredByANotifyAtOnce) {
  SubscribeCommand command = Subscription("alice", "bob");
  command.expiry = absl::Seconds(600);

  const auto outcome = Subscribe(command);

  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->granted, absl::Seconds(600));
  EXPECT_TRUE(outcome->created);
  EXPECT_THAT(Sent(), ElementsAre("bob 1 active none"));
  EXPECT_EQ(gateway.sent[0].expiry, absl::Seconds(600));
}

// S02
TEST_F(SubscribeTest, KeepsTheIdOfItsEventAndRefusesAnotherInTheDialog) {
  SubscribeCommand command = Subscription("alice", "bob");
  command.event_id = "7";
  const LocalTag tag = Subscribe(command)->id;

  SubscribeCommand other = InDialog(command, tag, 2);
  other.event_id = "";

  EXPECT_EQ(gateway.sent[0].subscription->event_id, "7");
  EXPECT_EQ(ReasonOf(Subscribe(other).status()), ErrorReason::kDialogEventMismatch);
}

// S03
TEST_F(SubscribeTest, GrantsNoMoreThanTheMaximumAndRefusesTooLittle) {
  SubscribeCommand command = Subscription("alice", "bob");
  EXPECT_EQ(Subscribe(command)->granted, absl::Hours(1));
  command = Subscription("alice", "bob");
  command.expiry = absl::Hours(48);
  EXPECT_EQ(Subscribe(command)->granted, absl::Hours(24));
  command = Subscription("alice", "bob");
  command.expiry = absl::Seconds(10);

  const auto brief = Subscribe(command);

  EXPECT_EQ(ReasonOf(brief.status()), ErrorReason::kIntervalTooBrief);
  EXPECT_EQ(MetadataOf(brief.status())["min_expires"], "60");
}

// S03: RFC 6665 section 4.2.1.1 lets 423 answer only what is below an hour.
TEST_F(SubscribeTest, AnHourIsNeverTooBrief) {
  config.every_package.subscription = Lifetimes{absl::Hours(3), absl::Hours(2), absl::Hours(24)};
  StartEngine();
  SubscribeCommand command = Subscription("alice", "bob");
  command.expiry = absl::Hours(1);
  EXPECT_EQ(Subscribe(command)->granted, absl::Hours(1));
  command = Subscription("alice", "bob");
  command.expiry = absl::Seconds(3599);

  EXPECT_EQ(ReasonOf(Subscribe(command).status()), ErrorReason::kIntervalTooBrief);
}

// S04
TEST_F(SubscribeTest, AFetchGetsOneNotifyAndStoresNothing) {
  Publish("alice", "open");
  SubscribeCommand command = Subscription("alice", "bob");
  command.expiry = absl::ZeroDuration();

  const auto outcome = Subscribe(command);

  EXPECT_EQ(outcome->granted, absl::ZeroDuration());
  EXPECT_THAT(Sent(), ElementsAre("bob 1 terminated;timeout open"));
  EXPECT_THAT(engine->ListSubscriptions({}).rows, IsEmpty());
  Answer();
  EXPECT_EQ(engine->counters().subscriptions_now, 0u);
}

// S05
TEST_F(SubscribeTest, ARefreshMovesTheTargetAndGetsTheFullState) {
  Publish("alice", "open");
  const SubscribeCommand command = Subscription("alice", "bob");
  const LocalTag tag = Subscribe(command)->id;
  Answer();
  Sent();

  SubscribeCommand refresh = InDialog(command, tag, 2);
  refresh.dialog.remote_target = "sip:bob@192.0.2.99";
  const auto outcome = Subscribe(refresh);

  EXPECT_FALSE(outcome->created);
  EXPECT_EQ(outcome->id, tag);
  EXPECT_THAT(Sent(), ElementsAre("bob 2 active open"));
  EXPECT_EQ(gateway.sent.back().subscription->dialog.remote_target(), "sip:bob@192.0.2.99");
  EXPECT_EQ(engine->CountSubscribers(Key("alice")), 1u);
}

// S06 S07
TEST_F(SubscribeTest, EndsWithALastNotifyAndIsUnknownAfterwards) {
  Publish("alice", "open");
  const SubscribeCommand command = Subscription("alice", "bob");
  const LocalTag tag = Subscribe(command)->id;
  Answer();
  Sent();

  SubscribeCommand end = InDialog(command, tag, 2);
  end.expiry = absl::ZeroDuration();
  EXPECT_EQ(Subscribe(end)->granted, absl::ZeroDuration());
  EXPECT_THAT(Sent(), ElementsAre("bob 2 terminated;timeout open"));
  Answer();
  Publish("alice", "closed");

  EXPECT_THAT(Sent(), IsEmpty());
  EXPECT_EQ(ReasonOf(Subscribe(InDialog(command, tag, 3)).status()),
            ErrorReason::kSubscriptionUnknown);
}

// S07
TEST_F(SubscribeTest, RefusesATagWithTheWrongCallIdOrNobodysTag) {
  const SubscribeCommand command = Subscription("alice", "bob");
  const LocalTag tag = Subscribe(command)->id;
  SubscribeCommand guessed = InDialog(command, tag, 2);
  guessed.dialog.call_id = "another";
  SubscribeCommand foreign = InDialog(command, tag, 2);
  foreign.local_tag = "as7d6f";

  EXPECT_EQ(ReasonOf(Subscribe(guessed).status()), ErrorReason::kSubscriptionUnknown);
  EXPECT_EQ(ReasonOf(Subscribe(foreign).status()), ErrorReason::kSubscriptionUnknown);
}

// S08
TEST_F(SubscribeTest, RefusesALowerCseqAcceptsAGapAndRepeatsItself) {
  const SubscribeCommand command = Subscription("alice", "bob");
  const LocalTag tag = Subscribe(command)->id;

  EXPECT_TRUE(Subscribe(InDialog(command, tag, 10)).ok());
  const auto older = Subscribe(InDialog(command, tag, 9));
  const size_t sent = gateway.sent.size();
  const auto again = Subscribe(InDialog(command, tag, 10));

  EXPECT_EQ(ReasonOf(older.status()), ErrorReason::kCseqTooOld);
  EXPECT_TRUE(again.ok());
  EXPECT_EQ(gateway.sent.size(), sent);
}

// S08
TEST_F(SubscribeTest, TakesACseqThatIsLowerByNoMoreThanTheTolerance) {
  config.cseq_tolerance = 5;
  StartEngine();
  const SubscribeCommand command = Subscription("alice", "bob");
  const LocalTag tag = Subscribe(command)->id;
  ASSERT_TRUE(Subscribe(InDialog(command, tag, 20)).ok());

  EXPECT_TRUE(Subscribe(InDialog(command, tag, 15)).ok());
  EXPECT_EQ(ReasonOf(Subscribe(InDialog(command, tag, 14)).status()), ErrorReason::kCseqTooOld);
}

TEST_F(SubscribeTest, ARepeatedInitialSubscribeMakesNoSecondSubscription) {
  const SubscribeCommand command = Subscription("alice", "bob");

  const auto first = Subscribe(command);
  const auto again = Subscribe(command);

  EXPECT_EQ(first->id, again->id);
  EXPECT_EQ(engine->ListSubscriptions({}).rows.size(), 1u);
}

TEST_F(SubscribeTest, ALateCopyOfTheFirstSubscribeLeavesTheRefreshedDialogAlone) {
  const SubscribeCommand command = Subscription("alice", "bob");
  const LocalTag tag = Subscribe(command)->id;
  Subscribe(InDialog(command, tag, 2));

  const auto late = Subscribe(command);

  EXPECT_EQ(late->id, tag);
  EXPECT_EQ(engine->ListSubscriptions({}).rows.size(), 1u);
}

TEST_F(SubscribeTest, SomebodyElseWithTheSameCallIdAndTagTakesNothingAway) {
  const SubscribeCommand command = Subscription("alice", "bob");
  Subscribe(command);
  SubscribeCommand mallory = Subscription("alice", "mallory");
  mallory.dialog.call_id = command.dialog.call_id;
  mallory.dialog.remote_tag = command.dialog.remote_tag;
  mallory.cseq = 2;

  Subscribe(mallory);

  EXPECT_EQ(engine->ListSubscriptions({}).rows.size(), 2u);
}

// S10
TEST_F(SubscribeTest, RefusesAWatcherThatAcceptsNothingWeMake) {
  SubscribeCommand command = Subscription("alice", "bob");
  command.has_accept = true;
  EXPECT_EQ(ReasonOf(Subscribe(command).status()), ErrorReason::kNotAcceptable);
  command.accept = {"application/pidf-diff+xml", "text/*"};

  EXPECT_TRUE(Subscribe(command).ok());
}

// S18
TEST_F(SubscribeTest, ExpiresWithinASecondAndSaysSo) {
  SubscribeCommand command = Subscription("alice", "bob");
  command.expiry = absl::Seconds(60);
  Subscribe(command);
  Answer();
  Sent();

  executor.RunFor(absl::Seconds(59));
  EXPECT_THAT(Sent(), IsEmpty());
  executor.RunFor(absl::Seconds(2));

  EXPECT_THAT(Sent(), ElementsAre("bob 2 terminated;timeout none"));
  Answer();
  EXPECT_EQ(engine->counters().subscriptions_now, 0u);
}

// O05
TEST_F(SubscribeTest, CountsNoExpiredSubscribers) {
  config.sweep_interval = absl::ZeroDuration();
  StartEngine();
  SubscribeCommand command = Subscription("alice", "bob");
  command.expiry = absl::Seconds(60);
  Subscribe(command);
  EXPECT_EQ(engine->CountSubscribers(Key("alice")), 1u);

  executor.RunFor(absl::Seconds(61));

  EXPECT_EQ(engine->CountSubscribers(Key("alice")), 0u);
}

// S17
TEST_F(SubscribeTest, ARebootedPhoneReplacesItsOldDialog) {
  config.subscribe_replace_same_call_id = true;
  StartEngine();
  SubscribeCommand command = Subscription("alice", "bob");
  const LocalTag old_tag = Subscribe(command)->id;
  command.dialog.remote_tag = "after-reboot";

  const LocalTag new_tag = Subscribe(command)->id;

  const auto page = engine->ListSubscriptions({});
  ASSERT_EQ(page.rows.size(), 1u);
  EXPECT_EQ(page.rows[0].subscription->id, new_tag);
  EXPECT_NE(old_tag, new_tag);
}

class PendingTest : public SubscribeTest {
 protected:
  void SetUp() override {
    registry = MakeTextRegistry(UnknownWatcher::kPending);
    StartEngine();
  }
  SubscriptionState Standing(const std::string& watcher) {
    return engine->GetAuthorization(Key("alice"), Event("presence"), Watcher(watcher))->state;
  }
};

// S12 O03
TEST_F(PendingTest, ApprovalTurnsAPendingWatcherActiveWithTheState) {
  Publish("alice", "open");
  Subscribe("alice", "bob");
  Answer();
  EXPECT_THAT(Sent(), ElementsAre("bob 1 pending"));
  Publish("alice", "busy");
  EXPECT_THAT(Sent(), IsEmpty());

  Decide("alice", "bob", WatcherDecision::kAllow);

  EXPECT_THAT(Sent(), ElementsAre("bob 2 active busy+open"));
}

// S11
TEST_F(PendingTest, ABlockedWatcherIsRefusedAndALiveOneEnds) {
  Subscribe("alice", "bob");
  Answer();
  Sent();

  Decide("alice", "bob", WatcherDecision::kBlock);

  EXPECT_THAT(Sent(), ElementsAre("bob 2 terminated;rejected"));
  Answer();
  EXPECT_EQ(ReasonOf(Subscribe("alice", "bob").status()), ErrorReason::kWatcherBlocked);
  EXPECT_THAT(Sent(), IsEmpty());
  EXPECT_EQ(engine->counters().subscriptions_now, 0u);
}

// S11
TEST_F(PendingTest, RejectsAfterAcceptingWhenToldTo) {
  config.reject_how = RejectHow::kAfterAccept;
  StartEngine();
  Decide("alice", "bob", WatcherDecision::kBlock);

  EXPECT_TRUE(Subscribe("alice", "bob").ok());

  EXPECT_THAT(Sent(), ElementsAre("bob 1 terminated;rejected"));
  EXPECT_THAT(engine->ListSubscriptions({}).rows, IsEmpty());
}

// S15: of the two URIs a proxy asserts either may be the one that was decided about.
TEST_F(PendingTest, ADecisionAboutTheOtherUriOfAWatcherCounts) {
  Publish("alice", "open");
  Decide("alice", "phone", WatcherDecision::kAllow);
  Decide("alice", "fax", WatcherDecision::kBlock);
  SubscribeCommand bob = Subscription("alice", "bob");
  bob.alias = Watcher("phone");
  SubscribeCommand carol = Subscription("alice", "carol");
  carol.alias = Watcher("fax");

  Subscribe(bob);
  EXPECT_EQ(ReasonOf(Subscribe(carol).status()), ErrorReason::kWatcherBlocked);
  EXPECT_THAT(Sent(), ElementsAre("bob 1 active open"));

  // The highest value wins: RFC 4745 section 10.2.
  Decide("alice", "carol", WatcherDecision::kAllow);
  EXPECT_TRUE(Subscribe(carol).ok());
}

// S15
TEST_F(PendingTest, ALaterDecisionAboutTheOtherUriReachesTheSubscription) {
  Publish("alice", "open");
  SubscribeCommand bob = Subscription("alice", "bob");
  bob.alias = Watcher("phone");
  Subscribe(bob);
  Answer();
  EXPECT_THAT(Sent(), ElementsAre("bob 1 pending"));

  Decide("alice", "phone", WatcherDecision::kAllow);
  Answer();
  EXPECT_THAT(Sent(), ElementsAre("bob 2 active open"));
  Decide("alice", "phone", WatcherDecision::kBlock);

  EXPECT_THAT(Sent(), ElementsAre("bob 3 terminated;rejected"));
}

// S15
TEST_F(PendingTest, APresentityIsKnownByEitherOfItsUrisInItsWatcherInformation) {
  SubscribeCommand own = Subscription("alice", "bob", "presence.winfo");
  own.alias = Watcher("alice");
  SubscribeCommand foreign = Subscription("alice", "bob", "presence.winfo");
  foreign.alias = Watcher("phone");

  EXPECT_TRUE(Subscribe(own).ok());
  EXPECT_EQ(ReasonOf(Subscribe(foreign).status()), ErrorReason::kWatcherBlocked);
}

// O05
TEST_F(PendingTest, TellsWhereAWatcherStands) {
  Decide("alice", "friend", WatcherDecision::kAllow);
  Decide("alice", "foe", WatcherDecision::kBlock);
  SubscribeCommand fetch = Subscription("alice", "caller");
  fetch.expiry = absl::ZeroDuration();
  Subscribe(fetch);

  EXPECT_EQ(static_cast<int>(Standing("friend")), 1);
  EXPECT_EQ(static_cast<int>(Standing("stranger")), 2);
  EXPECT_EQ(static_cast<int>(Standing("foe")), 3);
  EXPECT_EQ(static_cast<int>(Standing("caller")), 4);
}

// S04
TEST_F(PendingTest, AFetchByAnUndecidedWatcherShowsNoState) {
  Publish("alice", "open");
  SubscribeCommand fetch = Subscription("alice", "bob");
  fetch.expiry = absl::ZeroDuration();

  Subscribe(fetch);

  EXPECT_THAT(Sent(), ElementsAre("bob 1 terminated;timeout"));
}

}  // namespace
}  // namespace presence
