#include "tests/simulation/history_checker_fixture.h"

namespace presence::simulation {
namespace {

// Histories of a core in write-back, written by hand.
class FlushCheckerTest : public HistoryCheckerTest {
 protected:
  FlushCheckerTest() { Starts(1); }

  void Starts(uint64_t epoch, StorageMode mode = StorageMode::kWriteBack) {
    Happens(CoreStarted{epoch, mode});
  }
  static RowChanges Published(PublicationId id, const std::string& text) {
    auto row = std::make_shared<Publication>();
    row->id = id;
    row->document = Document("text/plain", text);
    row->etag = Etag(text);
    row->expires_at = absl::InfiniteFuture();
    RowChanges rows;
    rows.key = Alice();
    rows.publications.emplace_back(id, std::move(row));
    return rows;
  }
  static RowChanges Both(RowChanges first, const RowChanges& second) {
    first.publications.push_back(second.publications.front());
    return first;
  }
  RowChanges Subscribed(SubscriptionState state) {
    auto row = Row(1, "presence", state);
    row->is_authorized = true;
    RowChanges rows;
    rows.key = Alice();
    rows.subscriptions.emplace_back(row->id, row);
    return rows;
  }

  const RowChanges open_ = Published(1, "open");
  const RowChanges busy_ = Published(2, "busy");
};

TEST_F(FlushCheckerTest, TakesAWholeStateStoredInTime) {
  Happens(Durable{open_});
  Happens(Durable{busy_});
  Pass(kFlushInterval);
  Happens(Stored{Both(open_, busy_)});
  Pass(absl::Seconds(10));
  Happens(CoreDied{});

  EXPECT_THAT(Broken(), testing::IsEmpty());
  EXPECT_THAT(Unsettled(), testing::IsEmpty());
}

TEST_F(FlushCheckerTest, SeesAChangeThatWasToBeStoredFirstAndIsLost) {
  Starts(2, StorageMode::kWriteThroughWriteBack);
  Happens(Waiting{open_});
  Happens(Stored{open_});
  Happens(Durable{open_});
  Happens(Durable{busy_});
  Happens(CoreDied{});
  Starts(3, StorageMode::kWriteThroughWriteBack);

  EXPECT_THAT(Broken(), Breaks(Invariant::kFlushed));
}

TEST_F(FlushCheckerTest, LetsTheOtherKindBeLost) {
  Starts(2, StorageMode::kWriteBackWriteThrough);
  Happens(Durable{open_});
  Happens(CoreDied{});
  Starts(3, StorageMode::kWriteBackWriteThrough);

  EXPECT_THAT(Broken(), testing::IsEmpty());
}

TEST_F(FlushCheckerTest, LetsAChangeBeThereThatDidNotCountYet) {
  Starts(2, StorageMode::kWriteThroughWriteBack);
  Happens(Waiting{open_});
  Happens(Stored{open_});
  Happens(CoreDied{});
  Starts(3, StorageMode::kWriteThroughWriteBack);

  EXPECT_THAT(Broken(), testing::IsEmpty());
}

TEST_F(FlushCheckerTest, SeesAStateThatNeverWas) {
  Happens(Durable{open_});
  Happens(Durable{busy_});
  Happens(Stored{busy_});

  EXPECT_THAT(Broken(), Breaks(Invariant::kFlushed));
}

TEST_F(FlushCheckerTest, SeesADeletionThatIsNotStored) {
  Happens(Durable{open_});
  Happens(Stored{open_});
  PublicationGoes(1);
  Pass(kFlushInterval + absl::Seconds(1));

  EXPECT_THAT(Unsettled(), Breaks(Invariant::kFlushed));
}

TEST_F(FlushCheckerTest, LetsNothingBeOlderThanPromisedAtACrash) {
  Happens(Durable{open_});
  Pass(kFlushInterval + absl::Seconds(1));
  Happens(CoreDied{});

  EXPECT_THAT(Broken(), Breaks(Invariant::kFlushed));
}

TEST_F(FlushCheckerTest, GivesTimeWhileTheDatabaseIsInTrouble) {
  Happens(Durable{open_});
  Happens(DatabaseTrouble{true});
  Pass(absl::Seconds(5));
  Happens(DatabaseTrouble{false});
  Pass(kFlushInterval);
  Happens(CoreDied{});

  EXPECT_THAT(Broken(), testing::IsEmpty());
}

TEST_F(FlushCheckerTest, LetsAChangeBeStoredBeforeItCounts) {
  Happens(Waiting{open_});
  Happens(Stored{open_});
  Happens(CoreDied{});
  Starts(2);
  Happens(Durable{busy_});
  Happens(Stored{busy_});

  EXPECT_THAT(Broken(), testing::IsEmpty());
}

TEST_F(FlushCheckerTest, SeesARejectedChangeThatWasStored) {
  Happens(Waiting{open_});
  Happens(Dropped{Alice()});
  Happens(Stored{open_});

  EXPECT_THAT(Broken(), Breaks(Invariant::kFlushed));
}

TEST_F(FlushCheckerTest, LetsTheOthersComeOneByOneAfterARefusal) {
  Happens(Durable{open_});
  Happens(Durable{busy_});
  Happens(Durable{Published(3, "away")});
  Happens(Refused{Alice(), 1});
  Happens(Stored{Published(3, "away")});
  EXPECT_THAT(Broken(), testing::ElementsAre());
}

// The state after a crash is the one that was stored, and only that may be shown again.
TEST_F(FlushCheckerTest, MayShowAnOlderStateAfterACrashOnly) {
  const RowChanges bob = Subscribed(SubscriptionState::kActive);
  Happens(Durable{bob});
  Happens(Durable{open_});
  RowChanges first = open_;
  first.subscriptions = bob.subscriptions;
  Happens(Stored{first});
  Happens(Instruction(1, 1, 5, "open"));
  Happens(Durable{Published(1, "busy")});
  Happens(Instruction(2, 1, 6, "busy"));
  Happens(CoreDied{});
  Starts(2);
  Happens(Instruction(257, 2, 6, "open"));
  ASSERT_THAT(Broken(), testing::IsEmpty());

  Happens(Instruction(258, 2, 7, "busy"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kShown));
}

// The life before died with its first commit under way: what the next finds is no new dialog.
TEST_F(FlushCheckerTest, KnowsADialogThatWasStoredAndNeverCounted) {
  const RowChanges bob = Subscribed(SubscriptionState::kActive);
  Happens(Waiting{bob});
  Happens(Stored{bob});
  Happens(CoreDied{});
  Starts(2);
  Happens(Durable{bob});
  Happens(Instruction(257, 2, 2, ""));

  EXPECT_THAT(
      Unsettled(),
      testing::Not(testing::Contains(testing::Field(&Violation::invariant, Invariant::kCseq))));
}

TEST_F(FlushCheckerTest, MayGoOnAfterAnEndThatWasLost) {
  const RowChanges bob = Subscribed(SubscriptionState::kActive);
  Happens(Durable{bob});
  Happens(Stored{bob});
  Happens(Durable{Subscribed(SubscriptionState::kTerminated)});
  Instructed last = End(1);
  last.body.clear();
  Happens(last);
  Happens(CoreDied{});
  Starts(2);
  Happens(Instruction(257, 2, 2, ""));

  EXPECT_THAT(Broken(), testing::IsEmpty());
}

TEST_F(FlushCheckerTest, SeesMoreAfterAnEndThatWasStored) {
  const RowChanges bob = Subscribed(SubscriptionState::kActive);
  Happens(Durable{bob});
  Happens(Stored{bob});
  const RowChanges end = Subscribed(SubscriptionState::kTerminated);
  Happens(Durable{end});
  Happens(Stored{end});
  Instructed last = End(1);
  last.body.clear();
  Happens(last);
  Happens(CoreDied{});
  Starts(2);
  Happens(Instruction(257, 2, 2, ""));

  EXPECT_THAT(Broken(), Breaks(Invariant::kAfterEnd));
}

// What was confirmed and lost is no promise any more; what was stored is one.
TEST_F(FlushCheckerTest, KeepsConfirmedWhatWasStored) {
  Happens(Durable{open_});
  Happens(Answer("PUBLISH", "", "open"));
  Happens(CoreDied{});
  Starts(2);
  EXPECT_THAT(Unsettled(), testing::IsEmpty());

  Happens(Durable{busy_});
  Happens(Stored{busy_});
  Answered answered = Answer("PUBLISH", "", "busy");
  answered.cseq = 2;
  Happens(answered);
  RowChanges gone;
  gone.key = Alice();
  gone.publications.emplace_back(2, nullptr);
  Happens(Durable{gone});
  Happens(Stored{gone});

  EXPECT_THAT(Unsettled(), Breaks(Invariant::kDurableFirst));
}

// A repeated request may be carried out again where its effect was lost, and nowhere else.
TEST_F(FlushCheckerTest, MayAnswerInTwoWaysWhatWasLost) {
  Happens(Durable{open_});
  Happens(Answer("PUBLISH", "", "open"));
  Happens(CoreDied{});
  Starts(2);
  Happens(Durable{busy_});
  Happens(Answer("PUBLISH", "", "busy"));
  ASSERT_THAT(Broken(), testing::IsEmpty());

  Happens(Stored{busy_});
  Happens(CoreDied{});
  Starts(3);
  Happens(Durable{Published(2, "again")});
  Answered first = Answer("PUBLISH", "", "busy");
  first.cseq = 2;
  Answered second = Answer("PUBLISH", "", "again");
  second.cseq = 2;
  Happens(first);
  Happens(second);

  EXPECT_THAT(Broken(), Breaks(Invariant::kRepeated));
}

TEST_F(FlushCheckerTest, SeesAFormerOwnerInstruct) {
  Happens(Durable{Subscribed(SubscriptionState::kActive)});
  Happens(TakenOver{2});
  Pass(kLeaseRenewal);
  Happens(Instruction(1, 1, 1, ""));
  ASSERT_THAT(Broken(), testing::IsEmpty());

  Pass(absl::Milliseconds(1));
  Happens(Instruction(2, 1, 1, ""));

  EXPECT_THAT(Broken(), Breaks(Invariant::kFenced));
}

}  // namespace
}  // namespace presence::simulation
