#include "presence-core/storage/write_through/write_through_journal.h"

#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/manual_executor.h"
#include "tests/fakes/fake_row_store.h"

namespace presence {
namespace {

using testing::ElementsAre;

class WriteThroughJournalTest : public testing::Test {
 protected:
  static ResourceKey Key(int number) {
    return {*PresentityUri::FromText("user" + std::to_string(number) + "@example.com"),
            *EventName::Parse("presence")};
  }

  // Starts an append of one publication for resource `number`.
  void Append(int number, const std::string& body = "open") {
    auto row = std::make_shared<Publication>();
    row->id = 1;
    row->document = Document("text/plain", body);
    RowChanges changes;
    changes.key = Key(number);
    changes.publications.emplace_back(1, row);
    const auto acceptance = journal_.Append(
        changes, [this, number](AppendOutcome outcome) { outcomes_[number] = outcome.result; });
    EXPECT_EQ(acceptance, Journal::Acceptance::kPending);
  }
  bool IsStored(int number) const { return store_.rows().contains(Key(number)); }

  ManualClock clock_;
  ManualExecutor executor_{clock_};
  FakeRowStore store_{executor_, /*shards=*/1, /*lanes=*/1};
  int fenced_ = 0;
  WriteThroughJournal journal_{store_, {.max_batch = 100, .on_fenced = [this] { ++fenced_; }}};
  std::map<int, AppendResult> outcomes_;
};

TEST_F(WriteThroughJournalTest, CommitsTogetherWhatCameDuringTheCommitBefore) {
  for (int i = 0; i < 5; ++i) Append(i);

  executor_.RunUntilIdle();

  EXPECT_THAT(store_.batch_sizes(), ElementsAre(1, 4));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(outcomes_.at(i), AppendResult::kDurable);
}

TEST_F(WriteThroughJournalTest, AnswersNobodyBeforeTheCommit) {
  Append(0);
  EXPECT_TRUE(outcomes_.empty());
  EXPECT_FALSE(IsStored(0));

  executor_.RunOne();

  EXPECT_EQ(outcomes_.at(0), AppendResult::kDurable);
  EXPECT_TRUE(IsStored(0));
}

TEST_F(WriteThroughJournalTest, BoundsABatch) {
  for (int i = 0; i < 251; ++i) Append(i);

  executor_.RunUntilIdle();

  EXPECT_THAT(store_.batch_sizes(), ElementsAre(1, 100, 100, 50));
}

// One bad row among a hundred fails alone.
TEST_F(WriteThroughJournalTest, ABadRowFailsAlone) {
  Append(1000);
  for (int i = 0; i < 100; ++i) Append(i, i == 37 ? FakeRowStore::kBadBody : "open");

  executor_.RunUntilIdle();

  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(outcomes_.at(i), i == 37 ? AppendResult::kRejected : AppendResult::kDurable) << i;
    EXPECT_EQ(IsStored(i), i != 37) << i;
  }
  EXPECT_EQ(journal_.counters().refused, 1u);
  EXPECT_EQ(journal_.counters().changes, 100u);
  // Halving a hundred takes seven steps, two commits each at most.
  EXPECT_LE(store_.batch_sizes().size(), 2u + 14u);
}

TEST_F(WriteThroughJournalTest, NothingJoinsThePartsOfARefusedBatch) {
  Append(1000);
  for (int i = 0; i < 4; ++i) Append(i, i == 3 ? FakeRowStore::kBadBody : "open");
  executor_.RunOne();  // the first alone
  executor_.RunOne();  // the four: refused

  Append(2000);
  executor_.RunUntilIdle();

  EXPECT_THAT(store_.batch_sizes(), ElementsAre(1, 4, 2, 2, 1, 1, 1));
  EXPECT_EQ(outcomes_.at(2000), AppendResult::kDurable);
}

TEST_F(WriteThroughJournalTest, AFailedDatabaseFailsWhatItWasAskedAndNothingElse) {
  store_.fate = [] { return FakeRowStore::Fate::kFailed; };
  Append(1);
  executor_.RunUntilIdle();
  store_.fate = [] { return FakeRowStore::Fate::kCommitted; };
  Append(2);

  executor_.RunUntilIdle();

  EXPECT_EQ(outcomes_.at(1), AppendResult::kRejected);
  EXPECT_EQ(outcomes_.at(2), AppendResult::kDurable);
  EXPECT_EQ(journal_.counters().failed, 1u);
}

TEST_F(WriteThroughJournalTest, SaysThatAnotherProcessOwnsTheShard) {
  store_.fate = [] { return FakeRowStore::Fate::kFenced; };

  Append(1);
  executor_.RunUntilIdle();

  EXPECT_EQ(fenced_, 1);
  EXPECT_EQ(outcomes_.at(1), AppendResult::kRejected);
}

// The engine appends again from inside of an answer.
TEST_F(WriteThroughJournalTest, MayBeAppendedToFromAnAnswer) {
  RowChanges changes;
  changes.key = Key(1);
  changes.resource = ResourceRow{};
  journal_.Append(changes, [this](AppendOutcome) { Append(2); });

  executor_.RunUntilIdle();

  EXPECT_EQ(outcomes_.at(2), AppendResult::kDurable);
}

TEST(WriteThroughJournalLanesTest, NoBatchMixesShardsAndEveryLaneWorks) {
  ManualClock clock;
  ManualExecutor executor(clock);
  FakeRowStore store(executor, /*shards=*/8, /*lanes=*/3);  // fails a batch that mixes shards
  WriteThroughJournal journal(store, {});
  int durable = 0;

  for (int i = 0; i < 200; ++i) {
    RowChanges changes;
    changes.key = {*PresentityUri::FromText("user" + std::to_string(i) + "@example.com"),
                   *EventName::Parse("presence")};
    changes.resource = ResourceRow{};
    journal.Append(changes, [&](AppendOutcome outcome) {
      durable += outcome.result == AppendResult::kDurable ? 1 : 0;
    });
  }
  executor.RunUntilIdle();

  EXPECT_EQ(durable, 200);
  EXPECT_EQ(journal.counters().failed, 0u);
}

}  // namespace
}  // namespace presence
