#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// What a new life of the engine tells, and what it does not (engine/notifier.h, "After a start").
class RestartTest : public EngineTest {
 protected:
  // Everything that goes is answered, and quiet is noticed.
  void Settle() {
    Answer();
    executor.RunFor(absl::Seconds(3));
    Answer();
    Sent();
  }
  void Restart() {
    StartEngine();
    executor.RunFor(absl::Seconds(3));
  }
  bool IsSettled(const std::string& user) const {
    return journal.RowsOf(Key(user)).resource.is_settled();
  }
};

// N10
TEST_F(RestartTest, TellsNobodyAgainWhoKnewAll) {
  Subscribe("alice", "bob");
  Publish("alice", "open");
  Settle();

  Restart();
  EXPECT_THAT(Sent(), IsEmpty());
  Publish("alice", "busy");

  EXPECT_THAT(Sent(), ElementsAre("bob 257 active busy+open"));
}

// N10
TEST_F(RestartTest, TellsThoseAgainWhoseNotifyWasNotAnswered) {
  Subscribe("alice", "bob");
  Subscribe("dora", "erin");
  Settle();
  Publish("alice", "open");
  Answer();
  executor.RunFor(absl::Seconds(3));
  Publish("dora", "busy");
  EXPECT_THAT(Sent(), ElementsAre("bob 2 active open", "erin 2 active busy"));

  Restart();

  EXPECT_THAT(Sent(), ElementsAre("erin 257 active busy"));
}

// N10: once too often is all that a crash between the answer and its writing down costs.
TEST_F(RestartTest, TellsOnceTooOftenWhatHadNoTimeToSettle) {
  Subscribe("alice", "bob");
  Publish("alice", "open");
  Answer();
  Sent();

  Restart();

  EXPECT_THAT(Sent(), ElementsAre("bob 257 active open"));
  Settle();
  Restart();
  EXPECT_THAT(Sent(), IsEmpty());
}

// S11: the decision was stored, and the core died before what follows from it was.
TEST_F(RestartTest, ObeysADecisionFromWhichNothingHasFollowedYet) {
  Subscribe("alice", "bob");
  Subscribe("alice", "carol");
  Settle();
  DecideWatcherCommand command;
  command.presentity = Presentity("alice");
  command.event = Event("presence");
  command.watcher = Watcher("bob");
  command.decision = WatcherDecision::kBlock;
  int appends = 0;
  journal.fate = [&] {
    return appends++ == 0 ? ScriptedJournal::Fate::kDurable : ScriptedJournal::Fate::kRejected;
  };
  engine->DecideWatcher(command, [](const auto& outcome) { EXPECT_FALSE(outcome.ok()); });
  executor.RunUntilIdle();
  journal.fate = [] { return ScriptedJournal::Fate::kDurable; };
  ASSERT_THAT(Sent(), IsEmpty());

  Restart();

  EXPECT_THAT(Sent(), ElementsAre(HasSubstr("bob 257 terminated")));
}

// N10: a SUBSCRIBE is owed a NOTIFY, though the state is what it was.
TEST_F(RestartTest, TellsANewSubscriptionOfASettledResource) {
  Subscribe("alice", "bob");
  Settle();
  Subscribe("alice", "carol");
  EXPECT_THAT(Sent(), ElementsAre("carol 1 active none"));

  Restart();

  EXPECT_THAT(Sent(), UnorderedElementsAre("bob 257 active none", "carol 257 active none"));
}

TEST_F(RestartTest, TellsADecisionThatWasNotAnswered) {
  registry = MakeTextRegistry(UnknownWatcher::kPending);
  StartEngine();
  Subscribe("alice", "bob");
  Settle();
  ASSERT_TRUE(IsSettled("alice"));
  Decide("alice", "bob", WatcherDecision::kAllow);
  EXPECT_THAT(Sent(), ElementsAre("bob 2 active none"));

  Restart();

  EXPECT_THAT(Sent(), ElementsAre("bob 257 active none"));
}

TEST_F(RestartTest, TellsAnEndAtOnceHoweverManyAreToBeToldAgain) {
  config.resync_rate = 1;
  StartEngine();
  for (int i = 0; i < 10; ++i) Subscribe("alice", "bob" + std::to_string(i));
  const auto gone = Subscribe("dora", "erin");
  Answer();
  Sent();
  engine->EndSubscription(gone->id.text(), TerminationReason::kRejected, [](auto) {});
  executor.RunUntilIdle();

  StartEngine();

  EXPECT_THAT(Sent(), testing::Contains("erin 257 terminated;rejected"));
  EXPECT_LE(gateway.sent.size(), 2u);
}

// P24
TEST_F(RestartTest, TellsWhatExpiredMeanwhile) {
  Subscribe("alice", "bob");
  PublishCommand brief = Publication("alice", "open");
  brief.expiry = absl::Seconds(60);
  Publish(brief);
  Settle();
  ASSERT_TRUE(IsSettled("alice"));

  executor.Clear();
  clock.Advance(absl::Seconds(61));
  Restart();

  EXPECT_THAT(Sent(), ElementsAre("bob 257 active none"));
}

// N13
TEST_F(RestartTest, TellsAtTheRateAndALiveChangeAtOnce) {
  constexpr size_t kDialogs = 1000;
  config.resync_rate = 100;
  for (size_t i = 0; i < kDialogs; ++i) Subscribe("user" + std::to_string(i), "bob");

  StartEngine();
  const absl::Time start = clock.Now();
  executor.RunFor(absl::Milliseconds(990));
  const size_t after_a_second = gateway.sent.size();
  Publish("user500", "live");

  EXPECT_EQ(after_a_second, 100u);
  ASSERT_THAT(gateway.sent, SizeIs(101));
  EXPECT_EQ(gateway.sent.back().document.body(), "live");
  EXPECT_EQ(gateway.sent.back().subscription->watcher, Watcher("bob"));
  executor.RunFor(start + absl::Seconds(9.9) - clock.Now());
  EXPECT_LT(gateway.sent.size(), kDialogs);
  executor.RunFor(start + absl::Seconds(10) - clock.Now());
  EXPECT_EQ(gateway.sent.size(), kDialogs) << "everybody once";
  EXPECT_EQ(engine->counters().resync_resources_now, 0u);
}

TEST_F(RestartTest, KeepsTheRateAlsoWhenTheGatewayComesLate) {
  config.resync_rate = 100;
  for (int i = 0; i < 1000; ++i) Subscribe("user" + std::to_string(i), "bob");
  StartEngine();
  Answer();
  engine->DetachLink(link);
  executor.RunFor(absl::Minutes(1));
  const size_t before = gateway.sent.size();

  link = engine->AttachLink({"gw", "gw"}, gateway, credit);
  executor.RunFor(absl::Seconds(1));

  EXPECT_LE(gateway.sent.size() - before, 102u);
  executor.RunFor(absl::Seconds(10));
  EXPECT_EQ(gateway.sent.size(), 1000u);
}

// N10
TEST_F(RestartTest, TellsASettledWinfoDialogNothingAndThenAFullState) {
  Subscribe("alice", "alice", "presence.winfo");
  Subscribe("alice", "bob");
  Settle();
  ASSERT_TRUE(IsSettled("alice"));

  Restart();
  EXPECT_THAT(gateway.sent, IsEmpty());
  Subscribe("alice", "carol");

  ASSERT_THAT(gateway.sent, SizeIs(2));
  const bool first_is_winfo = gateway.sent[0].subscription->event.is_winfo();
  const Instruction& winfo = gateway.sent[first_is_winfo ? 0 : 1];
  EXPECT_THAT(winfo.document.body(), HasSubstr("full"));
  EXPECT_THAT(winfo.document.body(), HasSubstr("bob@example.com"));
  EXPECT_THAT(winfo.document.body(), HasSubstr("carol@example.com"));
}

// N10: a native watcher goes with the process, and nobody would tell that.
TEST_F(RestartTest, TellsAWinfoDialogThatWasShownANativeWatcher) {
  Subscribe("alice", "alice", "presence.winfo");
  WatchCommand watch;
  watch.presentity = Presentity("alice");
  watch.event = Event("presence");
  watch.watcher = Watcher("app");
  watch.link = "gw";
  engine->Watch(watch, [](auto) {});
  executor.RunUntilIdle();
  Settle();

  Restart();

  ASSERT_THAT(gateway.sent, SizeIs(1));
  EXPECT_TRUE(gateway.sent[0].subscription->event.is_winfo());
  EXPECT_THAT(gateway.sent[0].document.body(), testing::Not(HasSubstr("app@")));
}

// The mark of the life before is still stored, and must be known here to be taken back.
TEST_F(RestartTest, TakesBackAMarkThatAChangeInDoubtHasLeft) {
  SubscribeCommand bob = Subscription("alice", "bob");
  bob.local_tag = Subscribe(bob)->id.text();
  Settle();
  Restart();
  journal.fate = [] { return ScriptedJournal::Fate::kUnknownDropped; };
  Publish("alice", "lost");
  journal.fate = [] { return ScriptedJournal::Fate::kDurable; };
  executor.RunUntilIdle();
  ASSERT_TRUE(IsSettled("alice"));
  bob.cseq = 2;
  Subscribe(bob);
  EXPECT_THAT(Sent(), ElementsAre("bob 257 active none"));

  Restart();

  EXPECT_THAT(Sent(), ElementsAre("bob 513 active none"));
}

TEST_F(RestartTest, WritesDownAgainWhatWasRefused) {
  Subscribe("alice", "bob");
  Answer();
  journal.fate = [] { return ScriptedJournal::Fate::kRejected; };
  executor.RunFor(absl::Seconds(5));
  EXPECT_FALSE(IsSettled("alice"));

  journal.fate = [] { return ScriptedJournal::Fate::kUnknownDropped; };
  executor.RunFor(absl::Seconds(5));
  EXPECT_FALSE(IsSettled("alice"));
  journal.fate = [] { return ScriptedJournal::Fate::kUnknownWritten; };
  executor.RunFor(absl::Seconds(5));

  EXPECT_TRUE(IsSettled("alice"));
}

TEST_F(RestartTest, WritesDownNoMoreThanTheRate) {
  config.settle_rate = 10;
  StartEngine();
  for (int i = 0; i < 100; ++i) {
    Subscribe("user" + std::to_string(i), "bob");
    Answer();
  }

  executor.RunFor(absl::Seconds(5));
  const uint64_t after_five = engine->counters().settled;
  executor.RunFor(absl::Seconds(10));

  EXPECT_GE(after_five, 35u);
  EXPECT_LE(after_five, 50u);
  EXPECT_EQ(engine->counters().settled, 100u);
}

TEST_F(RestartTest, WritesNothingWhileChangesGoOn) {
  Subscribe("alice", "bob");
  for (int i = 0; i < 20; ++i) {
    Publish("alice", "state " + std::to_string(i));
    Answer();
    executor.RunFor(absl::Milliseconds(500));
  }
  EXPECT_EQ(engine->counters().settled, 0u);

  executor.RunFor(absl::Seconds(3));

  EXPECT_EQ(engine->counters().settled, 1u);
}

TEST_F(RestartTest, WritesItDownAlongWithAChangeThatOwesNothing) {
  Subscribe("alice", "bob");
  const auto published = Publish("alice", "open");
  Answer();
  EXPECT_FALSE(IsSettled("alice"));
  PublishCommand refresh = Publication("alice", "");
  refresh.document.reset();
  refresh.etag = published->etag;

  ASSERT_TRUE(Publish(refresh).ok());

  EXPECT_TRUE(IsSettled("alice"));
}

TEST_F(RestartTest, WritesNothingWhereNobodyIsToBeToldInAnotherLife) {
  Publish("alice", "open");
  WatchCommand watch;
  watch.presentity = Presentity("dora");
  watch.event = Event("presence");
  watch.watcher = Watcher("app");
  watch.link = "gw";
  engine->Watch(watch, [](auto) {});
  executor.RunUntilIdle();
  Answer();

  executor.RunFor(absl::Seconds(5));

  EXPECT_EQ(engine->counters().settled, 0u);
}

TEST_F(RestartTest, WaitsForTheLastOfManyWatchers) {
  for (int i = 0; i < 700; ++i) Subscribe("alice", "w" + std::to_string(i));
  Answer();
  Publish("alice", "open");
  std::vector<NotifyReport> reports;
  for (size_t i = answered; i + 1 < gateway.sent.size(); ++i) {
    reports.push_back(ReportOn(gateway.sent[i], NotifyOutcome::kAnswered, 200));
  }
  engine->Report(std::move(reports));
  executor.RunFor(absl::Seconds(5));
  EXPECT_FALSE(IsSettled("alice"));

  engine->Report({ReportOn(gateway.sent.back(), NotifyOutcome::kAnswered, 200)});
  executor.RunFor(absl::Seconds(3));

  EXPECT_TRUE(IsSettled("alice"));
  EXPECT_LE(MostRowsOfAHold(), kMostRowsPerHold);
}

}  // namespace
}  // namespace presence
