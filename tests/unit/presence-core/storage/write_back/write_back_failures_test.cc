#include "tests/unit/presence-core/storage/write_back/write_back_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Fate = FakeRowStore::Fate;

// What becomes of dirty rows when the database fails.
class WriteBackFailuresTest : public WriteBackTest {};

TEST_F(WriteBackFailuresTest, AFailedCommitIsRepeatedUnderWhatCameMeanwhile) {
  for (const Fate fate : {Fate::kFailed, Fate::kUnknownWritten, Fate::kUnknownDropped}) {
    AppendAtOnce(Published(1, "older"));
    AppendAtOnce(Published(1, "kept", 2));
    NextCommit(fate);
    BeginFlush();
    AppendAtOnce(Published(1, "newer"));

    executor_.RunFor(2 * kInterval);

    EXPECT_THAT(Bodies(1), testing::UnorderedElementsAre("newer", "kept"));
    EXPECT_EQ(journal_->counters().dirty_rows, 0u);
    EXPECT_EQ(journal_->counters().dirty_bytes, 0u);
  }
  EXPECT_EQ(journal_->counters().failed, 3u);
}

TEST_F(WriteBackFailuresTest, AFailedDeletionIsRepeatedToo) {
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
TEST_F(WriteBackFailuresTest, NothingIsWrittenBeforeALostCommitIsKnownToHaveEnded) {
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

TEST_F(WriteBackFailuresTest, ABadRowIsDroppedAloneAndSaidSo) {
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

TEST_F(WriteBackFailuresTest, ABadRowThatWaitsIsRefusedAndWhatWasPromisedBeforeIsKept) {
  AppendAtOnce(Published(1, "promised"));
  RowChanges bad = Raised(1, 400);
  Put(bad, 2, FakeRowStore::kBadBody);

  EXPECT_EQ(AppendAndWait(bad), AppendResult::kRejected);
  executor_.RunFor(kInterval);

  EXPECT_THAT(Bodies(1), ElementsAre("promised"));
  EXPECT_THAT(refused_, IsEmpty()) << "nobody was promised it";
}

TEST_F(WriteBackFailuresTest, RowsOfARefusedChangeThatFailAreTriedAgain) {
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

TEST_F(WriteBackFailuresTest, PromisesNothingWhileAnotherProcessMayOwnTheShard) {
  may_promise_ = false;

  EXPECT_EQ(AppendAndWait(Published(1, "stored")), AppendResult::kDurable);
  EXPECT_THAT(Bodies(1), ElementsAre("stored"));
  NextCommit(Fate::kFailed);
  EXPECT_EQ(AppendAndWait(Published(1, "refused")), AppendResult::kRejected);
  EXPECT_THAT(Bodies(1), ElementsAre("stored"));

  may_promise_ = true;
  AppendAtOnce(Published(1, "promised"));
}

TEST_F(WriteBackFailuresTest, WritesNothingMoreOnceAnotherProcessOwnsTheShard) {
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

}  // namespace
}  // namespace presence
