#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Fate = ScriptedJournal::Fate;

// What nobody may see before it is durable, and what becomes of it when it is not.
class DurabilityTest : public EngineTest {
 protected:
  std::string State(const std::string& user) {
    auto view = engine->GetState({Key(user), Event("presence"), std::nullopt, {}, ""});
    return std::string(view->document->body());
  }
  void PublishLater(const std::string& text) {
    engine->Publish(Publication("alice", text),
                    [this](auto outcome) { answers.push_back(outcome.status()); });
    executor.RunUntilIdle();
  }
  void NextFate(Fate fate) {
    auto used = std::make_shared<bool>(false);
    journal.fate = [fate, used] { return std::exchange(*used, true) ? Fate::kDurable : fate; };
  }

  std::vector<absl::Status> answers;
};

TEST_F(DurabilityTest, NobodySeesAChangeBeforeItIsDurable) {
  Subscribe("alice", "bob");
  Answer();
  Sent();
  journal.answers_by_itself = false;

  PublishLater("open");
  EXPECT_THAT(answers, IsEmpty());
  EXPECT_THAT(Sent(), IsEmpty());
  EXPECT_EQ(State("alice"), "none");
  journal.RunHeld();
  executor.RunUntilIdle();

  EXPECT_THAT(answers, ElementsAre(absl::OkStatus()));
  EXPECT_THAT(Sent(), ElementsAre("bob 2 active open"));
  EXPECT_EQ(State("alice"), "open");
}

TEST_F(DurabilityTest, CommandsThatWaitedAreDecidedAsOneBatch) {
  journal.answers_by_itself = false;
  for (const char* text : {"one", "two", "three", "four"}) PublishLater(text);

  journal.RunHeld();
  EXPECT_EQ(journal.appends(), 2u);
  journal.RunHeld();

  EXPECT_THAT(answers, SizeIs(4));
  EXPECT_THAT(journal.RowsOf(Key("alice")).publications, SizeIs(4));
}

// P20
TEST_F(DurabilityTest, ARejectedChangeIsAsIfItHadNeverBeen) {
  Subscribe("alice", "bob");
  Answer();
  Sent();
  NextFate(Fate::kRejected);

  PublishLater("open");

  EXPECT_EQ(ReasonOf(answers.at(0)), ErrorReason::kStorageUnavailable);
  EXPECT_EQ(State("alice"), "none");
  EXPECT_THAT(Sent(), IsEmpty());
  PublishLater("again");
  EXPECT_EQ(State("alice"), "again");
}

TEST_F(DurabilityTest, AnUnknownOutcomeIsReadBackAndBelieved) {
  Subscribe("alice", "bob");
  Answer();
  Sent();

  NextFate(Fate::kUnknownWritten);
  PublishLater("written");
  EXPECT_EQ(State("alice"), "written");
  EXPECT_THAT(Sent(), ElementsAre("bob 2 active written"));
  Answer();
  NextFate(Fate::kUnknownDropped);
  PublishLater("dropped");

  EXPECT_EQ(State("alice"), "written");
  EXPECT_EQ(ReasonOf(answers.at(0)), ErrorReason::kStorageUnavailable);
  EXPECT_EQ(ReasonOf(answers.at(1)), ErrorReason::kStorageUnavailable);
}

TEST_F(DurabilityTest, AResourceInDoubtDecidesNothingUntilItHasBeenRead) {
  bool fails = true;
  journal.load_fails = [&] { return fails; };
  NextFate(Fate::kUnknownWritten);
  PublishLater("one");

  PublishLater("two");
  executor.RunFor(absl::Seconds(1));
  EXPECT_EQ(ReasonOf(answers.at(1)), ErrorReason::kStorageUnavailable);
  fails = false;
  executor.RunFor(absl::Seconds(1));
  PublishLater("three");

  EXPECT_TRUE(answers.at(2).ok());
  EXPECT_THAT(journal.RowsOf(Key("alice")).publications, SizeIs(2));
}

// P21
TEST_F(DurabilityTest, ARequestRepeatedAfterACrashGetsItsOnePublication) {
  PublishCommand command = Publication("alice", "open");
  command.idempotency.sip = RequestKey::Of({"PUBLISH", "call", "tag", "1"});
  NextFate(Fate::kNeverAnswered);
  engine->Publish(command, [](auto) { FAIL() << "the process had died"; });
  executor.RunUntilIdle();

  StartEngine();
  const auto outcome = Publish(command);

  ASSERT_TRUE(outcome.ok());
  ASSERT_THAT(journal.RowsOf(Key("alice")).publications, SizeIs(1));
  EXPECT_EQ(journal.RowsOf(Key("alice")).publications[0]->etag, outcome->etag);
}

TEST_F(DurabilityTest, NoCseqIsUsedAboveWhatIsDurable) {
  Subscribe("alice", "bob");
  Answer();
  for (int i = 0; i < 600; ++i) {
    engine->ReloadState(Key("alice"), std::nullopt, [](auto) {});
    executor.RunUntilIdle();
    const uint32_t limit = journal.RowsOf(Key("alice")).subscriptions[0]->cseq_limit;
    ASSERT_LE(gateway.sent.back().cseq, limit);
    Answer();
  }
}

// What write-back must store first; anything else would cost it the reason it is there for.
TEST_F(DurabilityTest, OnlyAHigherCseqLimitIsMarkedForTheJournal) {
  Subscribe("alice", "bob");
  Answer();
  PublishLater("open");
  Answer();
  EXPECT_EQ(journal.raises(), 0u);

  for (int i = 0; i < 200; ++i) {
    engine->ReloadState(Key("alice"), std::nullopt, [](auto) {});
    executor.RunUntilIdle();
    Answer();
  }

  EXPECT_EQ(journal.raises(), 1u);  // at half of 256; the next comes at half of the new ones
}

TEST_F(DurabilityTest, AFetchLeavesNoRow) {
  Publish("alice", "open");
  SubscribeCommand fetch = Subscription("alice", "bob");
  fetch.expiry = absl::ZeroDuration();

  Subscribe(fetch);

  EXPECT_THAT(journal.RowsOf(Key("alice")).subscriptions, IsEmpty());
}

// A revision that fell would make watchers that confirmed the higher one current for ever.
TEST_F(DurabilityTest, TheRevisionDoesNotFallWhenAResourceIsReadAgain) {
  Publish("alice", "open");
  StartEngine();
  const Revision before = engine->GetState({Key("alice"), Event("presence"), {}, {}, ""})->revision;
  NextFate(Fate::kUnknownDropped);

  Publish("alice", "lost");

  const Revision after = engine->GetState({Key("alice"), Event("presence"), {}, {}, ""})->revision;
  EXPECT_GE(after, before);
}

TEST_F(DurabilityTest, AHigherLimitThatWasNotStoredIsAskedForAgain) {
  Subscribe("alice", "bob");
  Answer();
  Publish("alice", "open");
  Answer();
  Sent();
  journal.fate = [] { return Fate::kRejected; };
  StartEngine();  // all its numbers may have been used: it needs a higher limit first
  executor.RunFor(absl::Seconds(1));
  EXPECT_THAT(Sent(), IsEmpty());

  journal.fate = [] { return Fate::kDurable; };
  executor.RunFor(absl::Seconds(3));

  EXPECT_THAT(Sent(), ElementsAre("bob 257 active open"));
}

// P24, S18
TEST_F(DurabilityTest, WhatExpiresWhileTheJournalRefusesGoesWhenItTakesAgain) {
  PublishCommand command = Publication("alice", "open");
  command.expiry = absl::Seconds(60);
  Publish(command);
  SubscribeCommand brief = Subscription("alice", "bob");
  brief.expiry = absl::Seconds(60);
  Subscribe(brief);
  Answer();
  Sent();
  journal.fate = [] { return Fate::kRejected; };
  executor.RunFor(absl::Seconds(65));
  EXPECT_EQ(State("alice"), "open");

  journal.fate = [] { return Fate::kDurable; };
  executor.RunFor(absl::Seconds(2));

  EXPECT_EQ(State("alice"), "none");
  EXPECT_THAT(Sent().back(), testing::HasSubstr("terminated;timeout"));
}

// N03, N04: the subscription stays, so its watcher is still owed the state.
TEST_F(DurabilityTest, AWatcherWhoseRemovalWasNotStoredIsToldAgain) {
  Subscribe("alice", "bob");
  Answer();
  Publish("alice", "open");
  Sent();
  NextFate(Fate::kRejected);
  Fail(NotifyOutcome::kTimeout);

  executor.RunFor(absl::Seconds(2));

  EXPECT_THAT(Sent(), ElementsAre("bob 3 active open"));
}

// A pending watcher that goes is remembered as waiting, which the journal may refuse.
TEST_F(DurabilityTest, AWatchWhoseEndWasNotStoredGoesWhenTheJournalTakesItAgain) {
  Decide("alice", "app", WatcherDecision::kConfirm);
  WatchCommand watch;
  watch.presentity = Presentity("alice");
  watch.event = Event("presence");
  watch.watcher = Watcher("app");
  watch.link = "gw";
  LocalTag id;
  engine->Watch(watch, [&](auto outcome) { id = outcome->id; });
  executor.RunUntilIdle();
  ASSERT_EQ(engine->CountSubscribers(Key("alice")), 1u);
  for (const Fate fate : {Fate::kRejected, Fate::kUnknownDropped}) {
    journal.fate = [fate] { return fate; };
    engine->ForgetWatch(id);
    executor.RunFor(absl::Seconds(3));
    EXPECT_EQ(engine->CountSubscribers(Key("alice")), 1u);
  }

  journal.fate = [] { return Fate::kDurable; };
  executor.RunFor(absl::Seconds(2));

  EXPECT_EQ(engine->CountSubscribers(Key("alice")), 0u);
}

// W06: that it waits is stored, that it is gone is not, for native watchers never are.
TEST_F(DurabilityTest, AWatchWhoseEndIsInDoubtIsShownAsWaiting) {
  Decide("alice", "app", WatcherDecision::kConfirm);
  Subscribe("alice", "alice", "presence.winfo");
  Answer();
  WatchCommand watch;
  watch.presentity = Presentity("alice");
  watch.event = Event("presence");
  watch.watcher = Watcher("app");
  watch.link = "gw";
  LocalTag id;
  engine->Watch(watch, [&](auto outcome) { id = outcome->id; });
  executor.RunUntilIdle();
  Answer();
  Sent();

  NextFate(Fate::kUnknownWritten);
  engine->ForgetWatch(id);
  executor.RunFor(absl::Seconds(3));
  Answer();

  EXPECT_THAT(Sent().back(), testing::HasSubstr("app@example.com waiting timeout"));
  EXPECT_EQ(engine->CountSubscribers(Key("alice")), 0u);
}

// W05: of an end that was in doubt a native watcher hears as those do whose dialogs are stored.
TEST_F(DurabilityTest, AWatchOfTheWatchersHearsOfAnEndThatWasInDoubt) {
  const LocalTag bob = Subscribe("alice", "bob")->id;
  Answer();
  WatchCommand watch;
  watch.presentity = Presentity("alice");
  watch.event = Event("presence.winfo");
  watch.watcher = Watcher("alice");
  watch.link = "gw";
  engine->Watch(watch, [](auto outcome) { ASSERT_TRUE(outcome.ok()); });
  executor.RunUntilIdle();
  Answer();
  EXPECT_THAT(Sent().back(), testing::HasSubstr("bob@example.com active"));

  NextFate(Fate::kUnknownWritten);
  engine->EndSubscription(bob.text(), TerminationReason::kTimeout, [](auto) {});
  executor.RunFor(absl::Seconds(1));
  Answer();

  EXPECT_THAT(Sent(), testing::Contains("alice 2 active full 1:"));
}

// N03: what is still to be removed is told nothing more, and least of all a partial document after
// a full one that was lost.
TEST_F(DurabilityTest, ADialogThatIsToBeRemovedIsSilentUntilItIs) {
  const LocalTag bob = Subscribe("alice", "bob")->id;
  Answer();
  Subscribe("alice", "alice", "presence.winfo");
  journal.answers_by_itself = false;
  engine->EndSubscription(bob.text(), TerminationReason::kTimeout, [](auto) {});
  Fail(NotifyOutcome::kTimeout);  // the removal waits for the end of bob's subscription
  Sent();

  journal.RunHeld();
  executor.RunUntilIdle();

  EXPECT_THAT(Sent(), ElementsAre(testing::StartsWith("bob")));
}

// N03, N04: the SUBSCRIBE is on its way to the journal when what became of the NOTIFY before it is
// reported.
TEST_F(DurabilityTest, ARefreshThatWasTakenOutlivesTheNotifyBeforeIt) {
  for (const auto& [outcome, code] :
       {std::pair(NotifyOutcome::kAnswered, 481), std::pair(NotifyOutcome::kTimeout, 0),
        std::pair(NotifyOutcome::kNoFlow, 0)}) {
    SCOPED_TRACE(static_cast<int>(outcome));
    const std::string user = "alice" + std::to_string(static_cast<int>(outcome));
    SubscribeCommand bob = Subscription(user, "bob");
    bob.local_tag = Subscribe(bob)->id.text();
    Answer();
    Publish(user, "open");
    Sent();
    bob.cseq = 2;
    journal.answers_by_itself = false;
    absl::Status refreshed = absl::UnknownError("not yet");
    engine->Subscribe(bob, [&](auto result) { refreshed = result.status(); });
    executor.RunUntilIdle();

    engine->Report({ReportOn(gateway.sent.back(), outcome, code)});
    journal.answers_by_itself = true;
    journal.RunHeld();
    executor.RunUntilIdle();

    EXPECT_TRUE(refreshed.ok());
    EXPECT_THAT(Sent(), ElementsAre("bob 3 active open"));
    answered = gateway.sent.size() - 1;
    Answer();
    Publish(user, "busy");
    EXPECT_THAT(Sent(), ElementsAre("bob 4 active busy+open"));
    Answer();
  }
}

TEST_F(DurabilityTest, AWatchThatIsCurrentHearsOfAChangeDecidedInTheSameBatch) {
  const Revision known = Publish("alice", "one")->revision;
  journal.answers_by_itself = false;
  PublishLater("two");  // holds the inbox
  WatchCommand watch;
  watch.presentity = Presentity("alice");
  watch.event = Event("presence");
  watch.watcher = Watcher("app");
  watch.link = "gw";
  watch.known = Revision{known.epoch, known.seq + 1};
  engine->Watch(watch, [](auto outcome) { EXPECT_TRUE(outcome->is_current); });
  PublishLater("three");

  journal.RunHeld();
  journal.RunHeld();
  executor.RunUntilIdle();

  EXPECT_THAT(Sent(), ElementsAre("app 1 active three+two+one"));
}

// The first leaves nothing behind when it is read again, the second is decided on top of that.
TEST_F(DurabilityTest, CountsWhatWaitedForAResourceToBeReadAgainOnce) {
  NextFate(Fate::kUnknownDropped);
  engine->Publish(Publication("alice", "lost"), [](auto) {});
  engine->Publish(Publication("alice", "kept"), [](auto) {});
  journal.fate = [] { return Fate::kDurableNow; };
  executor.RunUntilIdle();

  EXPECT_EQ(State("alice"), "kept");
  EXPECT_EQ(engine->counters().publications_now, 1u);
}

// W01: nobody has sent a document of it before.
TEST_F(DurabilityTest, WatcherInformationInDoubtAtFirstBeginsWithVersionZero) {
  NextFate(Fate::kUnknownWritten);

  Subscribe("alice", "alice", "presence.winfo");

  EXPECT_THAT(Sent(), ElementsAre("alice 1 active full 0:"));
}

// N08: the phone may never ask again, for its request is answered when it repeats it.
TEST_F(DurabilityTest, ARefreshInDoubtEndsTheWaitingForIt) {
  SubscribeCommand bob = Subscription("alice", "bob");
  bob.local_tag = Subscribe(bob)->id.text();
  Answer();
  Publish("alice", "open");
  Fail(NotifyOutcome::kNoFlow);
  Sent();
  bob.cseq = 2;
  NextFate(Fate::kUnknownWritten);

  EXPECT_EQ(ReasonOf(Subscribe(bob).status()), ErrorReason::kStorageUnavailable);
  EXPECT_THAT(Sent(), ElementsAre("bob 3 active open"));
  Answer();
  EXPECT_TRUE(Subscribe(bob).ok());
  Publish("alice", "busy");

  EXPECT_THAT(Sent(), ElementsAre("bob 4 active busy+open"));
}

// N08: the old connection is lost only after the refresh over the new one was read.
TEST_F(DurabilityTest, ARefreshInDoubtOvertakesANotifyOverTheOldConnection) {
  SubscribeCommand bob = Subscription("alice", "bob");
  bob.local_tag = Subscribe(bob)->id.text();
  Answer();
  Publish("alice", "open");
  bob.cseq = 2;
  NextFate(Fate::kUnknownWritten);
  Subscribe(bob);
  ASSERT_THAT(gateway.sent, SizeIs(3));

  engine->Report({ReportOn(gateway.sent[1], NotifyOutcome::kNoFlow, 0),
                  ReportOn(gateway.sent[2], NotifyOutcome::kAnswered, 200)});
  answered = 3;
  Sent();
  Publish("alice", "busy");

  EXPECT_THAT(Sent(), ElementsAre("bob 4 active busy+open"));
}

// The same for a SUBSCRIBE repeated over a new connection, which is in doubt itself.
TEST_F(DurabilityTest, ADialogWhoseMoveIsInDoubtIsToldOverTheNewConnection) {
  SubscribeCommand bob = Subscription("alice", "bob");
  bob.dialog.flow = "f1";
  bob.local_tag = Subscribe(bob)->id.text();
  Answer();
  Publish("alice", "open");
  Sent();
  bob.dialog.flow = "f2";
  NextFate(Fate::kUnknownWritten);

  Subscribe(bob);

  ASSERT_THAT(Sent(), ElementsAre("bob 3 active open"));
  EXPECT_EQ(gateway.sent.back().subscription->dialog.flow(), "f2");
}

}  // namespace
}  // namespace presence
