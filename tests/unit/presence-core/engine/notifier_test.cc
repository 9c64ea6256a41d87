#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class NotifierTest : public EngineTest {
 protected:
  void SubscribeBob() {
    bob = Subscription("alice", "bob");
    tag = Subscribe(bob)->id;
    Answer();
    Sent();
  }
  bool IsSubscribed() { return engine->CountSubscribers(Key("alice")) > 0; }

  SubscribeCommand bob;
  LocalTag tag;
};

// N06
TEST_F(NotifierTest, TellsOnlyTheNewestStateToASlowWatcher) {
  SubscribeBob();

  Publish("alice", "one");
  Publish("alice", "two");
  Publish("alice", "three");
  EXPECT_THAT(Sent(), ElementsAre("bob 2 active one"));
  Answer();

  EXPECT_THAT(Sent(), SizeIs(1));
  EXPECT_EQ(gateway.sent.back().document.body(), "three+two+one");
  EXPECT_EQ(gateway.sent.back().cseq, 3u);
}

// The round over the dialogs begins where the last one ended and counts them.
TEST_F(NotifierTest, ADialogThatComesWhileAChangeIsToldLeavesNobodyOut) {
  for (const char* watcher : {"bob", "carol"}) Subscribe("alice", watcher);
  Answer();
  Publish("alice", "one");
  Answer();
  Subscribe("alice", "dave");
  Answer();
  Sent();
  journal.fate = [] { return ScriptedJournal::Fate::kDurableNow; };

  engine->Publish(Publication("alice", "two"), [](auto) {});
  Subscribe("alice", "erin");

  EXPECT_THAT(Sent(),
              testing::UnorderedElementsAre("bob 3 active two+one", "carol 3 active two+one",
                                            "dave 2 active two+one", "erin 1 active two+one"));
}

// N01
TEST_F(NotifierTest, RaisesTheCseqByOneFarPastTheFirstBlock) {
  SubscribeBob();

  for (int i = 0; i < 1000; ++i) {
    engine->ReloadState(Key("alice"), std::nullopt, [](auto) {});
    executor.RunUntilIdle();
    Answer();
  }

  ASSERT_THAT(gateway.sent, SizeIs(1001));
  for (size_t i = 0; i < gateway.sent.size(); ++i) EXPECT_EQ(gateway.sent[i].cseq, i + 1);
  EXPECT_GE(engine->ListSubscriptions({}).rows[0].subscription->cseq_limit, 1001u);
}

// N03
TEST_F(NotifierTest, TheseAnswersEndTheSubscription) {
  for (int code : {404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 502, 604}) {
    SubscribeBob();
    Publish("alice", std::to_string(code));

    Answer(code, absl::Seconds(10));

    EXPECT_FALSE(IsSubscribed()) << code;
  }
}

// N05
TEST_F(NotifierTest, OtherFailuresKeepItAndTellTheLatestStateLater) {
  for (int code : {400, 401, 403, 407, 500, 503}) {
    SubscribeBob();
    Publish("alice", "a");
    Sent();

    NotifyReport report = ReportOn(gateway.sent.back(), NotifyOutcome::kAnswered, code);
    report.retry_after = absl::Seconds(30);
    engine->Report({report});
    answered = gateway.sent.size();
    executor.RunFor(absl::Seconds(29));
    EXPECT_THAT(Sent(), IsEmpty()) << code;
    executor.RunFor(absl::Seconds(2));

    EXPECT_THAT(Sent(), SizeIs(1)) << code;
    Answer();
    EXPECT_TRUE(IsSubscribed()) << code;
    StartEngine();
    engine->EndSubscription(tag.text(), TerminationReason::kDeactivated, [](auto) {});
  }
}

// N04
TEST_F(NotifierTest, ATimeoutRemovesTheSubscriptionByDefault) {
  SubscribeBob();
  Publish("alice", "open");

  Fail(NotifyOutcome::kTimeout);

  EXPECT_FALSE(IsSubscribed());
}

// N04
TEST_F(NotifierTest, ATimeoutKeepsItUntilTheNextChangeWhenToldTo) {
  config.on_notify_timeout = OnNotifyTimeout::kKeep;
  StartEngine();
  SubscribeBob();
  Publish("alice", "one");
  Sent();

  Answer(408);
  executor.RunFor(absl::Minutes(5));
  EXPECT_THAT(Sent(), IsEmpty());
  Publish("alice", "two");

  EXPECT_THAT(Sent(), ElementsAre("bob 3 active two+one"));
}

// N04
TEST_F(NotifierTest, ATimeoutIsRetriedWithBackOffWhenToldTo) {
  config.on_notify_timeout = OnNotifyTimeout::kRetry;
  StartEngine();
  SubscribeBob();
  Publish("alice", "one");
  Sent();

  Fail(NotifyOutcome::kTimeout);
  executor.RunFor(absl::Seconds(6));

  EXPECT_THAT(Sent(), ElementsAre("bob 3 active one"));
}

// N08
TEST_F(NotifierTest, ALostFlowParksTheDialogUntilItsNextSubscribe) {
  SubscribeBob();
  Publish("alice", "one");
  Sent();

  Fail(NotifyOutcome::kNoFlow);
  Publish("alice", "two");
  executor.RunFor(absl::Minutes(5));
  EXPECT_THAT(Sent(), IsEmpty());
  bob.local_tag = tag.text();
  bob.cseq = 2;
  Subscribe(bob);

  EXPECT_THAT(Sent(), ElementsAre("bob 3 active two+one"));
}

// N08: the gateway's notify.on_flow_lost is not the core's notify.on_timeout.
TEST_F(NotifierTest, ALostFlowEndsTheSubscriptionWhereTheGatewaySaysSoWhateverATimeoutDoes) {
  for (OnNotifyTimeout on_timeout :
       {OnNotifyTimeout::kRemove, OnNotifyTimeout::kKeep, OnNotifyTimeout::kRetry}) {
    config.on_notify_timeout = on_timeout;
    StartEngine();
    SubscribeBob();
    Publish("alice", "open");

    Fail(NotifyOutcome::kFlowLostRemove);

    EXPECT_FALSE(IsSubscribed());
  }
}

// N11
TEST_F(NotifierTest, KeepsTheIntervalBetweenChangesAndDeliversTheLast) {
  config.every_package.min_notify_interval = absl::Seconds(5);
  StartEngine();
  SubscribeBob();
  executor.RunFor(absl::Seconds(10));

  Publish("alice", "one");
  Answer();
  EXPECT_THAT(Sent(), ElementsAre("bob 2 active one"));
  Publish("alice", "two");
  Publish("alice", "three");
  executor.RunFor(absl::Seconds(4));
  EXPECT_THAT(Sent(), IsEmpty());
  executor.RunFor(absl::Seconds(2));

  EXPECT_THAT(Sent(), ElementsAre("bob 3 active three+two+one"));
}

// N11
TEST_F(NotifierTest, ASubscribeGetsItsNotifyWhateverTheInterval) {
  config.every_package.min_notify_interval = absl::Seconds(5);
  StartEngine();
  SubscribeBob();
  bob.local_tag = tag.text();
  bob.cseq = 2;

  Subscribe(bob);

  EXPECT_THAT(Sent(), SizeIs(1));
}

TEST_F(NotifierTest, ASubscribeOvertakesAnUnansweredNotify) {
  SubscribeBob();
  Publish("alice", "one");
  bob.local_tag = tag.text();
  bob.cseq = 2;

  Subscribe(bob);

  EXPECT_THAT(Sent(), ElementsAre("bob 2 active one", "bob 3 active one"));
}

// N07 N13
TEST_F(NotifierTest, TenThousandWatchersAreToldInSlicesWithinTheCredit) {
  config.max_subscriptions = 20000;
  credit = 1000;
  StartEngine();
  for (int i = 0; i < 10000; ++i) Subscribe("alice", "w" + std::to_string(i));
  Answer();
  const size_t before = gateway.sent.size();

  Publish("alice", "open");
  EXPECT_LE(gateway.sent.size() - before, 1000u + 256u);
  Answer();

  EXPECT_EQ(gateway.sent.size() - before, 10000u);
  for (size_t i = before; i < gateway.sent.size(); ++i) {
    ASSERT_EQ(gateway.sent[i].document.body(), "open");
  }
  EXPECT_LE(MostRowsOfAHold(), 2 * 256u);
}

// N13: whoever becomes due while ten thousand are told waits for one turn of the hot stripe at
// most.
TEST_F(NotifierTest, AnotherResourceIsToldAfterOneTurnOfAHotOne) {
  config.max_subscriptions = 20000;
  credit = 20000;
  StartEngine();
  for (int i = 0; i < 10000; ++i) Subscribe("alice", "w" + std::to_string(i));
  Subscribe("dora", "carol");
  Answer();
  const size_t before = gateway.sent.size();

  engine->Publish(Publication("alice", "open"), [](auto) {});
  engine->Publish(Publication("dora", "busy"), [](auto) {});
  executor.RunUntilIdle();

  ASSERT_EQ(gateway.sent.size() - before, 10001u);
  size_t place = 0;
  while (gateway.sent[before + place].document.body() != "busy") ++place;
  EXPECT_LE(place, 2 * 256u);
}

// N13: nor does it wait for the hot one's last watcher where credit is short and comes in parts.
TEST_F(NotifierTest, AHotResourceDoesNotTakeTheCreditOfOthers) {
  for (const std::string quiet : {"dora", "erin"}) {
    SCOPED_TRACE(quiet);
    credit = 5000;
    StartEngine();
    for (int i = 0; i < 600; ++i) Subscribe("alice", "w" + std::to_string(i));
    Subscribe(quiet, "carol");
    Answer();
    engine->DetachLink(link);
    link = engine->AttachLink({"gw", "gw"}, gateway, 64);
    const size_t before = gateway.sent.size();

    Publish("alice", "open");
    Publish(quiet, "busy");
    for (int i = 0; i < 3; ++i) {
      engine->AddCredit(link, 64);
      executor.RunUntilIdle();
    }

    const auto is_of_carol = [](const Instruction& i) { return i.document.body() == "busy"; };
    EXPECT_EQ(std::count_if(gateway.sent.begin() + static_cast<std::ptrdiff_t>(before),
                            gateway.sent.end(), is_of_carol),
              1);
    EXPECT_EQ(gateway.sent.size() - before, 4 * 64u);  // and no credit is left unused
  }
}

// N13: the other way round, too: those who come new all the time do not keep it from going on.
TEST_F(NotifierTest, OthersDoNotTakeAllTheCreditOfAHotResource) {
  credit = 5000;
  StartEngine();
  for (int i = 0; i < 20; ++i) Subscribe("alice", "w" + std::to_string(i));
  for (int i = 0; i < 100; ++i) Subscribe("quiet" + std::to_string(i), "carol");
  Answer();
  engine->DetachLink(link);
  link = engine->AttachLink({"gw", "gw"}, gateway, 1);
  const size_t before = gateway.sent.size();

  Publish("alice", "open");
  for (int i = 0; i < 100; ++i) {
    Publish("quiet" + std::to_string(i), "busy");
    engine->AddCredit(link, 1);
    executor.RunUntilIdle();
  }

  const auto is_of_alice = [](const Instruction& i) { return i.document.body() == "open"; };
  EXPECT_EQ(std::count_if(gateway.sent.begin() + static_cast<std::ptrdiff_t>(before),
                          gateway.sent.end(), is_of_alice),
            20);
}

TEST_F(NotifierTest, NothingIsDeliveredWithoutALinkAndEverythingOnceItIsThere) {
  engine->DetachLink(link);
  Subscribe("alice", "bob");
  Subscribe("dora", "bob");
  EXPECT_THAT(Sent(), IsEmpty());

  link = engine->AttachLink({"gw", "gw"}, gateway, 10);
  executor.RunUntilIdle();

  EXPECT_THAT(Sent(), SizeIs(2));
}

// N10
TEST_F(NotifierTest, ARestartedEngineGoesOnAboveEveryCseqItMayHaveUsed) {
  SubscribeBob();
  Publish("alice", "open");
  Answer();
  Sent();

  StartEngine();

  ASSERT_THAT(gateway.sent, SizeIs(1));
  EXPECT_GT(gateway.sent[0].cseq, 2u);
  EXPECT_EQ(gateway.sent[0].document.body(), "open");
  EXPECT_EQ(gateway.sent[0].epoch, 2u);
}

TEST_F(NotifierTest, ReconcileTellsAgainWhatTheGatewayNoLongerWorksOn) {
  SubscribeBob();
  Publish("alice", "open");
  ASSERT_THAT(Sent(), SizeIs(1));

  // While its link is there somebody works on it; and so does a gateway that says it still does.
  engine->Reconcile({"gw", "gw"}, {});
  engine->DetachLink(link);
  engine->Reconcile({"gw", "gw"}, {{tag, 2}});
  link = engine->AttachLink({"gw", "gw"}, gateway, credit);
  executor.RunUntilIdle();
  EXPECT_THAT(Sent(), IsEmpty());
  engine->DetachLink(link);
  engine->Reconcile({"gw", "gw"}, {});
  link = engine->AttachLink({"gw", "gw"}, gateway, credit);
  executor.RunUntilIdle();

  EXPECT_THAT(Sent(), ElementsAre("bob 3 active open"));
}

TEST_F(NotifierTest, AnAnswerThatNeverComesIsNotWaitedForForEver) {
  SubscribeBob();
  Publish("alice", "open");
  Sent();

  executor.RunFor(absl::Seconds(43));

  EXPECT_THAT(Sent(), ElementsAre("bob 3 active open"));
}

TEST_F(NotifierTest, AForgottenWatchIsToldNothingMore) {
  WatchCommand watch;
  watch.presentity = Presentity("alice");
  watch.event = Event("presence");
  watch.watcher = Watcher("app");
  watch.link = "gw";
  LocalTag id;
  engine->Watch(watch, [&](auto outcome) { id = outcome->id; });
  executor.RunUntilIdle();
  EXPECT_THAT(Sent(), SizeIs(1));

  engine->ForgetWatch(id);
  Publish("alice", "open");

  EXPECT_THAT(Sent(), IsEmpty());
}

// O08
TEST_F(NotifierTest, AWatchThatIsCurrentGetsNoSecondSnapshot) {
  const Revision now = Publish("alice", "open")->revision;
  WatchCommand watch;
  watch.presentity = Presentity("alice");
  watch.event = Event("presence");
  watch.watcher = Watcher("app");
  watch.link = "gw";
  watch.known = now;
  bool is_current = false;

  engine->Watch(watch, [&](auto outcome) { is_current = outcome->is_current; });
  executor.RunUntilIdle();
  EXPECT_TRUE(is_current);
  EXPECT_THAT(Sent(), IsEmpty());
  Publish("alice", "busy");

  EXPECT_THAT(Sent(), ElementsAre("app 1 active busy+open"));
}

TEST_F(NotifierTest, CreditThatGoneWatchersHaveNoUseForIsPassedOn) {
  engine->DetachLink(link);
  for (int i = 0; i < 20; ++i) {
    SubscribeCommand shortly = Subscription("gone" + std::to_string(i), "bob");
    shortly.expiry = absl::Seconds(60);
    Subscribe(shortly);
  }
  Subscribe("alice", "bob");
  executor.RunFor(absl::Minutes(3));

  link = engine->AttachLink({"gw", "gw"}, gateway, 2);
  executor.RunUntilIdle();

  EXPECT_THAT(Sent(), ElementsAre("bob 1 active none"));
}

TEST_F(NotifierTest, AFetchOfExpiredStateIsNotAnsweredFromTheCacheWhenExpiryIsSilent) {
  config.expire_silently = true;
  StartEngine();
  PublishCommand shortly = Publication("alice", "open");
  shortly.expiry = absl::Seconds(60);
  Publish(shortly);
  Subscribe("alice", "bob");
  Answer();
  executor.RunFor(absl::Seconds(70));
  Sent();

  Subscribe("alice", "carol");

  EXPECT_THAT(Sent(), ElementsAre("carol 1 active none"));
}

}  // namespace
}  // namespace presence
