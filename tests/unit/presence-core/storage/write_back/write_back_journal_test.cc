#include "presence-core/storage/write_back/write_back_journal.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/manual_executor.h"
#include "tests/fakes/fake_row_store.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Fate = FakeRowStore::Fate;

constexpr absl::Duration kInterval = absl::Seconds(1);

class WriteBackJournalTest : public testing::Test {
 protected:
  WriteBackJournalTest() { StartProcess(); }

  // A new process on the same database; what an earlier one had in memory is gone.
  void StartProcess() {
    executor_.Clear();
    journal_.reset();
    WriteBackOptions options;
    options.flush_interval = kInterval;
    options.max_dirty_rows = 50;
    options.max_dirty_bytes = 1 << 20;
    options.max_batch_rows = 20;
    options.on_fenced = [this] { ++fenced_; };
    options.on_refused = [this](const ResourceKey& key, const absl::Status&) {
      refused_.push_back(key);
    };
    journal_ = std::make_unique<WriteBackJournal>(store_, executor_, clock_, std::move(options));
  }
  // The process dies here and now.
  void Crash() { StartProcess(); }

  static ResourceKey Key(int number) {
    return {*PresentityUri::FromText("user" + std::to_string(number) + "@example.com"),
            *EventName::Parse("presence")};
  }
  static LocalTag Tag(int number) {
    SeededRandom random(static_cast<uint64_t>(number));
    return LocalTag::Generate(Key(1).StableHash(), random);
  }
  static void Put(RowChanges& changes, PublicationId id, const std::string& body) {
    auto row = std::make_shared<Publication>();
    row->id = id;
    row->document = Document("text/plain", body);
    changes.publications.emplace_back(id, std::move(row));
  }
  static RowChanges Published(int number, const std::string& body, PublicationId id = 1) {
    RowChanges changes;
    changes.key = Key(number);
    Put(changes, id, body);
    return changes;
  }
  static RowChanges Subscribed(int number, uint32_t cseq_limit) {
    RowChanges changes;
    changes.key = Key(1);
    auto row = std::make_shared<Subscription>();
    row->id = Tag(number);
    row->cseq_limit = cseq_limit;
    changes.subscriptions.emplace_back(row->id, row);
    return changes;
  }
  static RowChanges Raised(int number, uint32_t cseq_limit) {
    RowChanges changes = Subscribed(number, cseq_limit);
    changes.raises_cseq_limit = true;
    return changes;
  }

  struct Ended {
    bool was_at_once = false;
    std::optional<AppendResult> result;
  };
  std::shared_ptr<Ended> Append(const RowChanges& changes) {
    auto ended = std::make_shared<Ended>();
    ended->was_at_once = journal_->Append(changes, [ended](AppendOutcome outcome) {
      EXPECT_FALSE(ended->result.has_value()) << "told twice";
      ended->result = outcome.result;
    }) == Journal::Acceptance::kDurableNow;
    return ended;
  }
  void AppendAtOnce(const RowChanges& changes) { ASSERT_TRUE(Append(changes)->was_at_once); }
  AppendResult AppendAndWait(const RowChanges& changes) {
    const auto ended = Append(changes);
    EXPECT_FALSE(ended->was_at_once);
    executor_.RunUntilIdle();
    EXPECT_TRUE(ended->result.has_value());
    return ended->result.value_or(AppendResult::kDurable);
  }
  absl::StatusOr<std::optional<ResourceRows>> Load(int number) {
    std::optional<absl::StatusOr<std::optional<ResourceRows>>> loaded;
    journal_->Load(Key(number), [&](auto rows) { loaded = std::move(rows); });
    executor_.RunUntilIdle();
    return loaded.has_value() ? *loaded : absl::UnknownError("never answered");
  }

  // What the database holds of a resource.
  std::vector<std::string> Bodies(int number) const {
    std::vector<std::string> bodies;
    const auto it = store_.rows().find(Key(number));
    if (it == store_.rows().end()) return bodies;
    for (const PublicationPtr& row : it->second.publications) {
      bodies.emplace_back(row->document.body());
    }
    return bodies;
  }
  std::vector<uint32_t> Limits() const {
    std::vector<uint32_t> limits;
    const auto it = store_.rows().find(Key(1));
    if (it == store_.rows().end()) return limits;
    for (const SubscriptionPtr& row : it->second.subscriptions) limits.push_back(row->cseq_limit);
    return limits;
  }
  void EveryCommit(Fate fate) {
    store_.fate = [fate] { return fate; };
  }
  void NextCommit(Fate fate) {
    store_.fate = [fate, used = false]() mutable {
      return std::exchange(used, true) ? Fate::kCommitted : fate;
    };
  }

  ManualClock clock_;
  ManualExecutor executor_{clock_};
  FakeRowStore store_{executor_, /*shards=*/1, /*lanes=*/1};
  int fenced_ = 0;
  std::vector<ResourceKey> refused_;
  std::unique_ptr<WriteBackJournal> journal_;
};

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
  executor_.RunFor(kInterval - absl::Milliseconds(125));
  clock_.Advance(absl::Milliseconds(125));
  ASSERT_TRUE(executor_.RunOne());  // the tick: the commit is under way
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

  EXPECT_THAT(store_.rows(), SizeIs(50));
  EXPECT_EQ(journal_->counters().dirty_rows, 0u);
  AppendAtOnce(Published(600, "as ever"));
}

// Nobody waits, so nobody needs more than a try each tick.
TEST_F(WriteBackJournalTest, ADatabaseThatIsAwayIsNotAskedWithoutEnd) {
  EveryCommit(Fate::kFailed);
  AppendAtOnce(Published(1, "open"));

  executor_.RunFor(10 * kInterval);

  EXPECT_LE(store_.batch_sizes().size(), 90u);
  EXPECT_GE(store_.batch_sizes().size(), 10u);
}

// --- Failures.

TEST_F(WriteBackJournalTest, AFailedCommitIsRepeatedUnderWhatCameMeanwhile) {
  for (const Fate fate : {Fate::kFailed, Fate::kUnknownWritten, Fate::kUnknownDropped}) {
    AppendAtOnce(Published(1, "older"));
    AppendAtOnce(Published(1, "kept", 2));
    NextCommit(fate);
    executor_.RunFor(kInterval - absl::Milliseconds(125));
    clock_.Advance(absl::Milliseconds(125));
    ASSERT_TRUE(executor_.RunOne());  // the commit that fails is under way
    AppendAtOnce(Published(1, "newer"));

    executor_.RunFor(2 * kInterval);

    EXPECT_THAT(Bodies(1), testing::UnorderedElementsAre("newer", "kept"));
    EXPECT_EQ(journal_->counters().dirty_rows, 0u);
    EXPECT_EQ(journal_->counters().dirty_bytes, 0u);
  }
  EXPECT_EQ(journal_->counters().failed, 3u);
}

TEST_F(WriteBackJournalTest, AFailedDeletionIsRepeatedToo) {
  AppendAtOnce(Published(1, "open"));
  executor_.RunFor(kInterval);
  RowChanges gone;
  gone.key = Key(1);
  gone.publications.emplace_back(1, nullptr);
  AppendAtOnce(gone);
  NextCommit(Fate::kUnknownDropped);

  executor_.RunFor(2 * kInterval);

  EXPECT_THAT(Bodies(1), IsEmpty());
}

// A lost commit may still be under way: an older row must not come after a newer one.
TEST_F(WriteBackJournalTest, NothingIsWrittenBeforeALostCommitIsKnownToHaveEnded) {
  AppendAtOnce(Published(1, "open"));
  NextCommit(Fate::kUnknownDropped);
  store_.read_fails = [] { return true; };
  executor_.RunFor(3 * kInterval);
  EXPECT_THAT(store_.batch_sizes(), SizeIs(1));
  EXPECT_EQ(AppendAndWait(Raised(1, 400)), AppendResult::kRejected);

  store_.read_fails = [] { return false; };
  executor_.RunFor(kInterval);

  EXPECT_THAT(Bodies(1), ElementsAre("open"));
}

TEST_F(WriteBackJournalTest, ABadRowIsDroppedAloneAndSaidSo) {
  for (int i = 0; i < 10; ++i) {
    RowChanges changes = Published(i, "open");
    if (i == 3) {
      Put(changes, 2, FakeRowStore::kBadBody);
      Put(changes, 4, "beside it");
    }
    AppendAtOnce(changes);
  }

  executor_.RunFor(kInterval);

  for (int i = 0; i < 10; ++i) {
    if (i == 3) continue;
    EXPECT_THAT(Bodies(i), ElementsAre("open")) << i;
  }
  EXPECT_THAT(Bodies(3), testing::UnorderedElementsAre("open", "beside it"));
  EXPECT_THAT(refused_, ElementsAre(Key(3)));
  EXPECT_EQ(journal_->counters().refused, 1u);
  EXPECT_EQ(journal_->counters().dirty_rows, 0u);
  EXPECT_EQ(journal_->counters().dirty_bytes, 0u);
}

TEST_F(WriteBackJournalTest, ABadRowThatWaitsIsRefusedAndWhatWasPromisedBeforeIsKept) {
  AppendAtOnce(Published(1, "promised"));
  RowChanges bad = Raised(1, 400);
  Put(bad, 2, FakeRowStore::kBadBody);

  EXPECT_EQ(AppendAndWait(bad), AppendResult::kRejected);
  executor_.RunFor(kInterval);

  EXPECT_THAT(Bodies(1), ElementsAre("promised"));
  EXPECT_THAT(refused_, IsEmpty()) << "nobody was promised it";
}

TEST_F(WriteBackJournalTest, RowsOfARefusedChangeThatFailAreTriedAgain) {
  RowChanges changes = Published(1, "good");
  Put(changes, 2, FakeRowStore::kBadBody);
  AppendAtOnce(changes);
  int commits = 0;  // the change, the change by rows, and its first half
  store_.fate = [&commits] { return ++commits == 3 ? Fate::kFailed : Fate::kCommitted; };

  executor_.RunFor(3 * kInterval);

  EXPECT_THAT(Bodies(1), ElementsAre("good"));
  EXPECT_EQ(journal_->counters().refused, 1u);
  EXPECT_EQ(journal_->counters().dirty_rows, 0u);
}

TEST_F(WriteBackJournalTest, WritesNothingMoreOnceAnotherProcessOwnsTheShard) {
  AppendAtOnce(Published(1, "too late"));
  NextCommit(Fate::kFenced);
  executor_.RunFor(kInterval);
  EXPECT_EQ(fenced_, 1);

  EXPECT_EQ(AppendAndWait(Published(2, "refused")), AppendResult::kRejected);
  EXPECT_FALSE(Load(1).ok());
  executor_.RunFor(3 * kInterval);

  EXPECT_TRUE(store_.rows().empty());
  EXPECT_THAT(store_.batch_sizes(), SizeIs(1));
}

// --- The end of a process.

TEST_F(WriteBackJournalTest, ACleanStopWritesEverythingAtOnce) {
  for (int i = 0; i < 45; ++i) AppendAtOnce(Published(i, "open"));
  std::optional<uint64_t> left;

  journal_->Drain(clock_.Now() + absl::Seconds(10), [&](uint64_t rows) { left = rows; });
  EXPECT_FALSE(left.has_value());
  executor_.RunUntilIdle();

  EXPECT_EQ(left, 0u);
  EXPECT_THAT(store_.rows(), SizeIs(45));
}

TEST_F(WriteBackJournalTest, ACleanStopWithNothingToWriteEndsAtOnce) {
  std::optional<uint64_t> left;

  journal_->Drain(clock_.Now() + absl::Seconds(10), [&](uint64_t rows) { left = rows; });
  executor_.RunUntilIdle();

  EXPECT_EQ(left, 0u);
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
