#include <memory>
#include <string>

#include "tests/unit/presence-core/engine/shared_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(SharedTest, WhatOneHasAnsweredTheOthersKnow) {
  const auto published = Publish(*cores[0], Publication("alice", "open"));
  ASSERT_TRUE(published.ok());

  EXPECT_EQ(State(*cores[1]), "open");
  const auto modified = Publish(*cores[1], Publication("alice", "busy", published->etag));
  ASSERT_TRUE(modified.ok()) << modified.status();
  EXPECT_EQ(State(*cores[2]), "busy");
  EXPECT_EQ(ReasonOf(Publish(*cores[0], Publication("alice", "", published->etag)).status()),
            ErrorReason::kEtagMismatch);
}

TEST_F(SharedTest, TwoThatPublishAtOnceBothDo) {
  const auto one = BeginPublish(*cores[0], Publication("alice", "one"));
  const auto two = BeginPublish(*cores[1], Publication("alice", "two"));
  executor.RunUntilIdle();

  ASSERT_TRUE(one->ok()) << one->status();
  ASSERT_TRUE(two->ok()) << two->status();
  EXPECT_THAT(State(*cores[2]), testing::AnyOf("one+two", "two+one"));
  EXPECT_EQ(cores[0]->engine->counters().moved + cores[1]->engine->counters().moved, 1u);
}

// P23
TEST_F(SharedTest, ThousandPublicationsOfOneUserThroughThreeCores) {
  for (auto& core : cores) ASSERT_TRUE(Subscribe(*core, Subscription(*core, core->name)).ok());
  Etag etag;
  SeededRandom dice(1);
  for (int i = 0; i < 1000; ++i) {
    Core& core = *cores[dice.Next64() % 3];
    const auto outcome = Publish(core, Publication("alice", absl::StrCat(i), etag));
    ASSERT_TRUE(outcome.ok()) << i << ": " << outcome.status();
    etag = outcome->etag;
    Core& other = *cores[dice.Next64() % 3];
    if (dice.Next64() % 2 == 0) Hear(other);
    if (dice.Next64() % 3 == 0) Answer(other);
  }
  AllHear();
  for (auto& core : cores) {
    Answer(*core);
    uint64_t seq = 0;
    uint32_t cseq = 0;
    for (const Instruction& sent : core->gateway.sent) {
      EXPECT_GE(sent.revision.seq, seq);
      EXPECT_EQ(sent.cseq, cseq + 1);
      seq = sent.revision.seq;
      cseq = sent.cseq;
    }
    EXPECT_EQ(core->gateway.sent.back().document.body(), "999");
  }
}

TEST_F(SharedTest, WatchersHearOfWhatWasPublishedElsewhere) {
  ASSERT_TRUE(Subscribe(*cores[1], Subscription(*cores[1], "bob")).ok());
  Answer(*cores[1]);
  EXPECT_THAT(Sent(*cores[1]), ElementsAre("bob 1 none"));

  Publish(*cores[0], Publication("alice", "open"));
  Hear(*cores[1]);

  EXPECT_THAT(Sent(*cores[1]), ElementsAre("bob 2 open"));
  EXPECT_THAT(Sent(*cores[0]), IsEmpty());
}

TEST_F(SharedTest, WhatMayHaveBeenMissedIsLookedFor) {
  ASSERT_TRUE(Subscribe(*cores[1], Subscription(*cores[1], "bob")).ok());
  Answer(*cores[1]);
  Publish(*cores[0], Publication("alice", "open"));
  Sent(*cores[1]);

  ASSERT_TRUE(cores[1]->engine->TakeOverAll().ok());
  executor.RunUntilIdle();

  EXPECT_THAT(Sent(*cores[1]), ElementsAre("bob 2 open"));
}

TEST_F(SharedTest, AnExpiryThatAllNoticeHappensOnce) {
  ASSERT_TRUE(Subscribe(*cores[1], Subscription(*cores[1], "bob")).ok());
  PublishCommand command = Publication("alice", "open");
  command.expiry = absl::Seconds(60);
  Publish(*cores[0], std::move(command));
  AllHear();
  Answer(*cores[1]);
  Sent(*cores[1]);

  executor.RunFor(absl::Seconds(61));
  AllHear();
  Answer(*cores[1]);

  EXPECT_THAT(Sent(*cores[1]), ElementsAre("bob 3 none"));
  const auto rows = store.rows().Find(Key("alice"));
  EXPECT_THAT(rows->publications, IsEmpty());
}

// One whose timers are off stands for one that has died.
TEST_F(SharedTest, OthersExpireWhatADeadOneLeft) {
  config.sweep_interval = absl::ZeroDuration();
  Core dead(*this, "dead");
  PublishCommand command = Publication("alice", "open");
  command.expiry = absl::Seconds(60);
  Publish(dead, std::move(command));
  Hear(*cores[1]);

  executor.RunFor(absl::Seconds(62));

  EXPECT_THAT(store.rows().Find(Key("alice"))->publications, IsEmpty());
  executor.Clear();
}

TEST_F(SharedTest, AnAnswerThatIsLostIsLookedFor) {
  ASSERT_TRUE(Subscribe(*cores[0], Subscription(*cores[0], "bob")).ok());
  Answer(*cores[0]);
  store.fate = [] { return FakeRowStore::Fate::kUnknownWritten; };
  EXPECT_FALSE(Publish(*cores[0], Publication("alice", "open")).ok());
  store.fate = [] { return FakeRowStore::Fate::kCommitted; };
  Answer(*cores[0]);

  EXPECT_EQ(State(*cores[0]), "open");
  EXPECT_THAT(Sent(*cores[0]), ElementsAre("bob 1 none", "bob 2 open"));
}

// P20: who asks while the database is away is told so, and nothing else.
TEST_F(SharedTest, NobodyIsToldWhatCannotBeLookedFor) {
  store.read_fails = [] { return true; };
  EXPECT_EQ(ReasonOf(Publish(*cores[0], Publication("alice", "", Etag("unknown"))).status()),
            ErrorReason::kStorageUnavailable);
  store.read_fails = [] { return false; };
  EXPECT_EQ(ReasonOf(Publish(*cores[0], Publication("alice", "", Etag("unknown"))).status()),
            ErrorReason::kEtagMismatch);
}

TEST_F(SharedTest, WatchersOfWatchersSeeWhoSubscribedElsewhere) {
  SubscribeCommand winfo = Subscription(*cores[1], "alice", "presence.winfo");
  ASSERT_TRUE(Subscribe(*cores[1], winfo).ok());
  Answer(*cores[1]);
  const size_t before = cores[1]->gateway.sent.size();

  ASSERT_TRUE(Subscribe(*cores[0], Subscription(*cores[0], "bob")).ok());
  Hear(*cores[1]);

  ASSERT_EQ(cores[1]->gateway.sent.size(), before + 1);
  EXPECT_THAT(std::string(cores[1]->gateway.sent.back().document.body()),
              testing::HasSubstr("bob@example.com active"));
}

TEST_F(SharedTest, WhatCouldNotBeLookedAtIsLookedAtAgain) {
  ASSERT_TRUE(Subscribe(*cores[1], Subscription(*cores[1], "bob")).ok());
  Answer(*cores[1]);
  Sent(*cores[1]);
  Publish(*cores[0], Publication("alice", "open"));
  store.read_fails = [] { return true; };
  Hear(*cores[1]);
  EXPECT_THAT(Sent(*cores[1]), IsEmpty());

  store.read_fails = [] { return false; };
  executor.RunFor(absl::Seconds(1));

  EXPECT_THAT(Sent(*cores[1]), ElementsAre("bob 2 open"));
}

// Another core changes it each time that it is read.
TEST_F(SharedTest, WhoAsksIsAnsweredHoweverOftenOthersChangeWhatIsAsked) {
  int reads = 0;
  store.read_fails = [&] {
    if (++reads < 20) cores[1]->engine->OnChangedElsewhere({Key("alice")});
    return false;
  };
  int reads_before = 0;
  cores[1]->engine->Publish(Publication("alice", "", Etag("unknown")),
                            [&](const auto&) { reads_before = reads; });
  executor.RunUntilIdle();

  EXPECT_GT(reads_before, 0);
  EXPECT_LT(reads_before, 3);
}

TEST_F(SharedTest, OfNamesWithNothingButARevisionNothingIsRead) {
  const auto published = Publish(*cores[0], Publication("alice", "open"));
  ASSERT_TRUE(Publish(*cores[0], Publication("alice", "", published->etag)).ok());
  executor.RunFor(absl::Hours(1));  // until the answers are forgotten
  ASSERT_TRUE(store.rows().Find(Key("alice"))->is_empty());
  int reads = 0;
  store.read_fails = [&reads] { return ++reads == 0; };

  Core late(*this, "late");
  ASSERT_TRUE(late.engine->TakeOverAll().ok());
  executor.RunUntilIdle();

  EXPECT_EQ(reads, 0);
  executor.Clear();
}

// O02: what is changed in the database by hand has no version of its own.
TEST_F(SharedTest, ARefreshReachesTheWatchersOfAllCores) {
  ASSERT_TRUE(Subscribe(*cores[1], Subscription(*cores[1], "bob")).ok());
  ASSERT_TRUE(Publish(*cores[0], Publication("alice", "open")).ok());
  AllHear();
  Answer(*cores[1]);
  Sent(*cores[1]);
  RowChanges by_hand;
  by_hand.key = Key("alice");
  auto changed = std::make_shared<struct presence::Publication>(
      *store.rows().Find(Key("alice"))->publications.at(0));
  changed->document = Document("text/plain", "changed");
  by_hand.publications.emplace_back(changed->id, changed);
  store.CommitNow(store.ShardOf(by_hand.key), {by_hand}, FakeRowStore::Fate::kCommitted);
  AllHear();
  EXPECT_THAT(Sent(*cores[1]), IsEmpty());

  Result<RefreshOutcome> outcome;
  cores[0]->engine->ReloadState(Key("alice"), std::nullopt,
                                [&outcome](auto refreshed) { outcome = std::move(refreshed); });
  executor.RunUntilIdle();
  AllHear();

  ASSERT_TRUE(outcome.ok());
  EXPECT_THAT(Sent(*cores[1]), ElementsAre("bob 3 changed"));
}

// Its first document is a full one of version 0 (RFC 3858 §3), as if the answer had come.
TEST_F(SharedTest, ANewDialogWhoseAnswerIsLostBeginsAtTheBeginning) {
  store.fate = [] { return FakeRowStore::Fate::kUnknownWritten; };
  EXPECT_FALSE(Subscribe(*cores[0], Subscription(*cores[0], "bob")).ok());
  store.fate = [] { return FakeRowStore::Fate::kCommitted; };
  executor.RunFor(absl::Seconds(1));

  EXPECT_THAT(Sent(*cores[0]), ElementsAre("bob 1 none"));
}

// Its subscription is in no row: nobody but its own core can end it.
TEST_F(SharedTest, ANativeWatcherObeysWhatWasDecidedElsewhere) {
  Program bob(*cores[0], executor);
  cores[1]->engine->DecideWatcher(BlockBob(), [](auto outcome) { EXPECT_TRUE(outcome.ok()); });
  executor.RunUntilIdle();
  // What is decided again has to be looked for, and the database fails then.
  store.read_fails = [looks = 0]() mutable { return ++looks == 2; };

  Hear(*cores[0]);
  executor.RunFor(absl::Seconds(2));

  EXPECT_EQ(bob.state(), SubscriptionState::kTerminated);
}

// The decision is stored, and what follows from it fails. Asked again, another core says that all
// is done.
TEST_F(SharedTest, ANativeWatcherObeysAlsoWhenTheAnswerToTheDecisionWasAnError) {
  Program bob(*cores[0], executor);
  store.read_fails = [looks = 0]() mutable { return ++looks == 1; };

  cores[0]->engine->DecideWatcher(BlockBob(), [](auto outcome) { EXPECT_FALSE(outcome.ok()); });
  executor.RunFor(absl::Seconds(3));

  EXPECT_EQ(bob.state(), SubscriptionState::kTerminated);
}

}  // namespace
}  // namespace presence
