#include <optional>
#include <string>

#include "tests/unit/presence-core/storage/write_back/write_back_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Fate = FakeRowStore::Fate;

class WriteBackJournalTest : public WriteBackTest {};

// --- What a flush interval costs and promises.

TEST_F(WriteBackJournalTest, AHundredChangesOfAResourceAreOneRow) {
  for (int i = 0; i < 100; ++i) AppendAtOnce(Published(1, "state " + std::to_string(i)));

  executor_.RunFor(kInterval);

  EXPECT_THAT(store_.batch_sizes(), ElementsAre(1));
  EXPECT_THAT(Bodies(1), ElementsAre("state 99"));
  EXPECT_EQ(journal_->counters().written, 1u);
  EXPECT_EQ(journal_->counters().coalesced, 99u);
  EXPECT_EQ(journal_->counters().dirty_rows, 0u);
  EXPECT_EQ(journal_->counters().dirty_bytes, 0u);
}

// P21 in part: a crash costs what is younger than the interval, and nothing else.
TEST_F(WriteBackJournalTest, ACrashLosesOnlyWhatIsYoungerThanTheInterval) {
  AppendAtOnce(Published(1, "old"));
  executor_.RunFor(kInterval / 2);
  AppendAtOnce(Published(2, "young"));
  executor_.RunFor(kInterval / 2);

  Crash();

  EXPECT_THAT(Bodies(1), ElementsAre("old"));
  EXPECT_THAT(Bodies(2), IsEmpty());
}

// Changes that never pause are no reason to put their flush off.
TEST_F(WriteBackJournalTest, AResourceThatNeverRestsIsWrittenEveryInterval) {
  for (int i = 0; i < 50; ++i) {
    AppendAtOnce(Published(1, std::to_string(i)));
    executor_.RunFor(kInterval / 10);
    EXPECT_LE(journal_->counters().oldest, kInterval);
  }

  EXPECT_GE(store_.batch_sizes().size(), 4u);
  EXPECT_LE(store_.batch_sizes().size(), 7u);
}

// A deletion is flushed like a row: an unsubscribe, then kill -9.
TEST_F(WriteBackJournalTest, ACrashBringsBackADeletedRowOnlyBeforeItsFlush) {
  RowChanges gone;
  gone.key = Key(1);
  gone.subscriptions.emplace_back(Tag(1), nullptr);
  AppendAtOnce(Subscribed(1, 256));
  executor_.RunFor(kInterval);

  AppendAtOnce(gone);
  executor_.RunFor(kInterval / 2);
  Crash();
  EXPECT_THAT(Limits(), ElementsAre(256));

  AppendAtOnce(gone);
  executor_.RunFor(kInterval);
  Crash();
  EXPECT_THAT(Limits(), IsEmpty());
}

TEST_F(WriteBackJournalTest, ARowThatCameAndWentBetweenFlushesIsNotLeftBehind) {
  AppendAtOnce(Published(1, "brief"));
  RowChanges gone;
  gone.key = Key(1);
  gone.publications.emplace_back(1, nullptr);

  AppendAtOnce(gone);
  executor_.RunFor(kInterval);

  EXPECT_THAT(Bodies(1), IsEmpty());
}

TEST_F(WriteBackJournalTest, WhatCameDuringACommitIsWrittenByTheNext) {
  AppendAtOnce(Published(1, "first"));
  BeginFlush();
  AppendAtOnce(Published(1, "second"));

  executor_.RunUntilIdle();
  EXPECT_THAT(Bodies(1), ElementsAre("first"));
  executor_.RunFor(kInterval);

  EXPECT_THAT(Bodies(1), ElementsAre("second"));
}

TEST_F(WriteBackJournalTest, BoundsACommitByItsRows) {
  for (int i = 0; i < 45; ++i) AppendAtOnce(Published(i, "open"));

  executor_.RunFor(kInterval);

  EXPECT_THAT(store_.batch_sizes(), ElementsAre(20, 20, 5));
}

// --- What waits for the database.

// N10 in part: a CSeq above what is stored could be used again after a crash.
TEST_F(WriteBackJournalTest, ARaisedCseqLimitIsStoredBeforeItIsPassed) {
  AppendAtOnce(Subscribed(1, 256));
  executor_.RunFor(kInterval);

  EXPECT_EQ(AppendAndWait(Raised(1, 400)), AppendResult::kDurable);

  EXPECT_THAT(Limits(), ElementsAre(400));
  EXPECT_EQ(journal_->counters().stored_first, 1u);
}

TEST_F(WriteBackJournalTest, ARaisedLimitTakesAllThatIsDirtyOfItsResourceAlong) {
  AppendAtOnce(Published(1, "dirty"));
  AppendAtOnce(Published(2, "of another"));

  EXPECT_EQ(AppendAndWait(Raised(1, 400)), AppendResult::kDurable);

  EXPECT_THAT(Bodies(1), ElementsAre("dirty"));
  EXPECT_THAT(Bodies(2), IsEmpty()) << "what nobody waits for goes on coalescing";
  EXPECT_EQ(journal_->counters().dirty_rows, 1u);
}

TEST_F(WriteBackJournalTest, ALimitThatCouldNotBeStoredIsNotRaisedLaterEither) {
  AppendAtOnce(Subscribed(1, 256));
  NextCommit(Fate::kFailed);

  EXPECT_EQ(AppendAndWait(Raised(1, 400)), AppendResult::kRejected);
  executor_.RunFor(2 * kInterval);

  EXPECT_THAT(Limits(), ElementsAre(256));
  EXPECT_EQ(journal_->counters().dirty_rows, 0u);
}

// Whether the database has the raise or not, what the engine loads is what is stored.
TEST_F(WriteBackJournalTest, ALoadAfterAnUnknownOutcomeSaysWhatIsStored) {
  for (const Fate fate : {Fate::kUnknownWritten, Fate::kUnknownDropped}) {
    for (const bool is_dirty : {true, false}) {
      AppendAtOnce(Subscribed(1, 256));
      if (!is_dirty) executor_.RunFor(kInterval);
      NextCommit(fate);
      EXPECT_EQ(AppendAndWait(Raised(1, 400)), AppendResult::kUnknown);

      const auto loaded = Load(1);

      ASSERT_TRUE(loaded.ok() && loaded->has_value());
      ASSERT_THAT((*loaded)->subscriptions, SizeIs(1));
      EXPECT_THAT(Limits(), ElementsAre((*loaded)->subscriptions[0]->cseq_limit));
      executor_.RunFor(2 * kInterval);  // nothing of it comes later
      EXPECT_THAT(Limits(), ElementsAre((*loaded)->subscriptions[0]->cseq_limit));
      EXPECT_EQ(journal_->counters().dirty_rows, 0u);
    }
  }
}

TEST_F(WriteBackJournalTest, ALoadFailsWhileTheDatabaseIsAwayAndLosesNothing) {
  AppendAtOnce(Published(1, "dirty"));
  EveryCommit(Fate::kFailed);
  EXPECT_FALSE(Load(1).ok());
  EveryCommit(Fate::kCommitted);

  const auto loaded = Load(1);

  ASSERT_TRUE(loaded.ok() && loaded->has_value());
  EXPECT_THAT((*loaded)->publications, SizeIs(1));
}

// --- Bounds.

TEST_F(WriteBackJournalTest, WithTooMuchDirtyAChangeWaitsUntilTheBacklogIsBelow) {
  for (int i = 0; i < 50; ++i) AppendAtOnce(Published(i, "open"));

  EXPECT_EQ(AppendAndWait(Published(100, "waits")), AppendResult::kDurable);

  EXPECT_THAT(Bodies(100), ElementsAre("waits"));
  EXPECT_EQ(journal_->counters().fallbacks, 1u);
  EXPECT_LT(journal_->counters().dirty_rows, 50u) << "the oldest went along";
  AppendAtOnce(Published(101, "waits no more"));
}

TEST_F(WriteBackJournalTest, LargeBodiesAreBoundedByTheirBytes) {
  for (int i = 0; i < 4; ++i) AppendAtOnce(Published(i, std::string(300'000, 'x')));

  EXPECT_EQ(AppendAndWait(Published(100, "waits")), AppendResult::kDurable);
}

TEST_F(WriteBackJournalTest, ADatabaseThatIsAwayBoundsTheMemoryAndIsRecoveredFrom) {
  EveryCommit(Fate::kFailed);
  int refused = 0;
  for (int i = 0; i < 500; ++i) {
    const auto ended = Append(Published(i, "open"));
    executor_.RunFor(kInterval / 20);
    refused += ended->result == AppendResult::kRejected ? 1 : 0;
    EXPECT_LE(journal_->counters().dirty_rows, 50u);
  }
  EXPECT_EQ(refused, 450);
  EXPECT_GT(journal_->counters().oldest, 10 * kInterval);
  EXPECT_TRUE(store_.rows().empty());

  EveryCommit(Fate::kCommitted);
  executor_.RunFor(kInterval);

  EXPECT_EQ(store_.rows().size(), 50u);
  EXPECT_EQ(journal_->counters().dirty_rows, 0u);
  AppendAtOnce(Published(600, "as ever"));
}

// What is in doubt is only kept where a promise stands under it: its load says what became of it.
TEST_F(WriteBackJournalTest, ADatabaseThatLosesEveryAnswerBoundsTheMemory) {
  EveryCommit(Fate::kUnknownDropped);
  for (int i = 0; i < 50; ++i) AppendAtOnce(Published(i, "open"));

  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(AppendAndWait(Published(100 + i, "in doubt")), AppendResult::kUnknown);
  }

  EXPECT_EQ(journal_->counters().dirty_rows, 50u);
}

// Nobody waits, so nobody needs more than a try each tick.
TEST_F(WriteBackJournalTest, ADatabaseThatIsAwayIsNotAskedWithoutEnd) {
  EveryCommit(Fate::kFailed);
  AppendAtOnce(Published(1, "open"));

  executor_.RunFor(10 * kInterval);

  EXPECT_LE(store_.batch_sizes().size(), 90u);
  EXPECT_GE(store_.batch_sizes().size(), 10u);
}

// --- The end of a process.

TEST_F(WriteBackJournalTest, ACleanStopWritesEverythingAtOnce) {
  for (int i = 0; i < 45; ++i) AppendAtOnce(Published(i, "open"));
  std::optional<uint64_t> left;

  journal_->Drain(clock_.Now() + absl::Seconds(10), [&](uint64_t rows) { left = rows; });
  EXPECT_FALSE(left.has_value());
  executor_.RunUntilIdle();

  EXPECT_EQ(left, 0u);
  EXPECT_EQ(store_.rows().size(), 45u);
}

TEST_F(WriteBackJournalTest, ACleanStopWithNothingToWriteEndsAtOnce) {
  std::optional<uint64_t> left;

  journal_->Drain(clock_.Now() + absl::Seconds(10), [&](uint64_t rows) { left = rows; });
  executor_.RunUntilIdle();

  EXPECT_EQ(left, 0u);
}

TEST_F(WriteBackJournalTest, ACleanStopDoesNotWaitForTheIntervalToTryAgain) {
  AppendAtOnce(Published(1, "open"));
  NextCommit(Fate::kFailed);
  std::optional<uint64_t> left;

  journal_->Drain(clock_.Now() + absl::Seconds(10), [&](uint64_t rows) { left = rows; });
  executor_.RunFor(kTick);

  EXPECT_EQ(left, 0u);
  EXPECT_THAT(Bodies(1), ElementsAre("open"));
}

TEST_F(WriteBackJournalTest, ACleanStopTriesAgainUntilItsDeadlineAndSaysWhatIsLeft) {
  EveryCommit(Fate::kFailed);
  for (int i = 0; i < 5; ++i) AppendAtOnce(Published(i, "open"));
  std::optional<uint64_t> left;
  journal_->Drain(clock_.Now() + absl::Seconds(10), [&](uint64_t rows) { left = rows; });
  executor_.RunFor(absl::Seconds(9));
  EXPECT_FALSE(left.has_value());

  executor_.RunFor(absl::Seconds(1));
  EXPECT_EQ(left, 5u);

  journal_->Drain(clock_.Now() + absl::Seconds(10), [&](uint64_t rows) { left = rows; });
  EveryCommit(Fate::kCommitted);
  executor_.RunFor(absl::Seconds(1));
  EXPECT_EQ(left, 0u);
}

}  // namespace
}  // namespace presence
