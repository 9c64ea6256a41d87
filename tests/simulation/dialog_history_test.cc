#include "tests/simulation/history_checker_fixture.h"

namespace presence::simulation {
namespace {

using testing::Field;
using testing::IsEmpty;

// What is said in one dialog: CSeq, version, end.
using DialogHistoryTest = HistoryCheckerTest;

// ---- CSeq ----

TEST_F(DialogHistoryTest, LetsCseqRiseByOneAndJumpOnceInANewLife) {
  Happens(Instruction(1, 1, 1, "open"));
  Happens(Instruction(2, 1, 2, "busy"));
  Happens(Instruction(257, 2, 3, "busy"));
  Happens(Instruction(258, 2, 4, "busy"));

  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(DialogHistoryTest, SeesACseqUsedTwice) {
  Happens(Instruction(1, 1, 1, "open"));
  Happens(Instruction(1, 1, 2, "busy"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kCseq));
}

TEST_F(DialogHistoryTest, SeesACseqLeftOut) {
  Happens(Instruction(1, 1, 1, "open"));
  Happens(Instruction(3, 1, 2, "busy"));
  EXPECT_THAT(Unsettled(), Breaks(Invariant::kCseq));

  Happens(Instruction(257, 2, 3, "busy"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kCseq));
}

TEST_F(DialogHistoryTest, LetsInstructionsOfTwoGatewaysOvertakeEachOther) {
  Happens(Instruction(1, 1, 1, "full 0:"));
  Happens(Instruction(3, 1, 1, "partial 2:"));
  Happens(Instruction(2, 1, 1, "partial 1:"));
  Happens(Instruction(258, 2, 1, "full 257:"));
  Happens(Instruction(257, 2, 1, "full 256:"));
  EXPECT_THAT(Broken(), IsEmpty());
  EXPECT_THAT(Unsettled(), IsEmpty());

  Happens(Instruction(257, 2, 1, "full 256:"));

  EXPECT_THAT(Broken(), testing::Contains(Field(&Violation::invariant, Invariant::kCseq)));
}

TEST_F(DialogHistoryTest, SeesTheFirstCseqLeftOut) {
  BecomesDurable(Row(1));
  Happens(Instruction(2, 1, 1, "open"));

  EXPECT_THAT(Unsettled(), testing::Contains(Field(&Violation::invariant, Invariant::kCseq)));
}

TEST_F(DialogHistoryTest, SeesACseqThatFallsInANewLife) {
  Happens(Instruction(1, 1, 1, "open"));
  Happens(Instruction(2, 1, 1, "open"));
  Happens(Instruction(2, 2, 2, "busy"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kCseq));
}

TEST_F(DialogHistoryTest, SeesAnInstructionOfAnEarlierLife) {
  Happens(Instruction(1, 2, 1, "open"));
  Happens(Instruction(2, 1, 2, "busy"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kCseq));
}

TEST_F(DialogHistoryTest, SeesTwoContentsUnderOneCseqAtAPhone) {
  Happens(Notify(1, "open"));
  Happens(Notify(1, "open"));  // sent again
  EXPECT_THAT(Broken(), IsEmpty());

  Happens(Notify(1, "busy"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kCseq));
}

// ---- the version of watcher information ----

TEST_F(DialogHistoryTest, LetsVersionsRiseByOneAndJumpToAFullDocumentInANewLife) {
  Happens(Instruction(1, 1, 1, "full 0:"));
  Happens(Instruction(2, 1, 1, "partial 1:"));
  Happens(Instruction(257, 2, 1, "full 256:"));

  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(DialogHistoryTest, SeesAVersionLeftOut) {
  Happens(Instruction(1, 1, 1, "full 0:"));
  Happens(Instruction(2, 1, 1, "full 2:"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kVersion));
}

TEST_F(DialogHistoryTest, SeesAFirstVersionThatIsNotZero) {
  BecomesDurable(Row(1, "presence.winfo"));
  Happens(Instruction(1, 1, 1, "full 1:"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kVersion));
}

TEST_F(DialogHistoryTest, SeesAFirstVersionThatIsNotZeroInAFetch) {
  Instructed fetch = End(1);
  fetch.body = "full 1:";
  Happens(fetch);

  EXPECT_THAT(Broken(), Breaks(Invariant::kVersion));
}

TEST_F(DialogHistoryTest, LetsTheFirstDocumentBeOvertakenByTheSecond) {
  BecomesDurable(Row(1, "presence.winfo"));
  Happens(Instruction(2, 1, 1, "partial 1:"));
  Happens(Instruction(1, 1, 1, "full 0:"));

  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(DialogHistoryTest, LetsTheFirstDocumentThatIsSaidInALaterLifeHaveAnyVersion) {
  BecomesDurable(Row(1, "presence.winfo"));
  Happens(CoreStarted{2});
  Happens(Instruction(257, 2, 1, "full 256:"));
  Happens(Instruction(258, 2, 1, "partial 257:"));

  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(DialogHistoryTest, SeesAPartialDocumentAtFirst) {
  Happens(Instruction(1, 1, 1, "partial 0:"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kVersion));
}

TEST_F(DialogHistoryTest, SeesAPartialDocumentAfterARestart) {
  Happens(Instruction(1, 1, 1, "full 0:"));
  Happens(Instruction(257, 2, 1, "partial 256:"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kVersion));
}

TEST_F(DialogHistoryTest, SeesAPartialDocumentThatLeavesAGapAtThePhone) {
  Happens(Notify(1, "full 0:"));
  Happens(Notify(3, "full 2:"));
  EXPECT_THAT(Broken(), IsEmpty());

  Happens(Notify(5, "partial 4:"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kVersion));
}

// ---- a NOTIFY for each SUBSCRIBE ----

TEST_F(DialogHistoryTest, SeesARefreshThatWasAnsweredAndNotFollowedByANotify) {
  BecomesDurable(Row(1));
  BecomesDurable(1, "open", "etag1");
  Happens(Instruction(1, 1, 1, "open"));
  Happens(Answer("SUBSCRIBE", Tag(1).text(), ""));
  Happens(Notify(1, "open"));
  EXPECT_THAT(Unsettled(), IsEmpty());
  auto refreshed = Row(1);
  refreshed->remote_cseq = 2;
  BecomesDurable(refreshed);
  EXPECT_THAT(Unsettled(), Breaks(Invariant::kAnsweredByNotify));

  Happens(Instruction(2, 1, 1, "open"));

  EXPECT_THAT(Unsettled(), IsEmpty());
}

TEST_F(DialogHistoryTest, SeesARefreshThatWasAnsweredAndNotNotifiedBecauseItWasRemoved) {
  BecomesDurable(Row(1));
  Happens(Answer("SUBSCRIBE", Tag(1).text(), ""));
  RowChanges gone;
  gone.key = Alice();
  gone.subscriptions.emplace_back(Tag(1), nullptr);
  Happens(Durable{gone});
  EXPECT_THAT(Unsettled(), Breaks(Invariant::kAnsweredByNotify));

  Happens(Forgotten{"call-1"});

  EXPECT_THAT(Unsettled(), IsEmpty());
}

// ---- the end ----

TEST_F(DialogHistoryTest, LetsTheEndBeToldAgain) {
  Happens(Instruction(1, 1, 1, "open"));
  Happens(End(2));
  Happens(End(3));

  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(DialogHistoryTest, SeesAnInstructionAfterTheEnd) {
  Happens(End(1));
  Happens(Instruction(2, 1, 1, "open"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kAfterEnd));
}

TEST_F(DialogHistoryTest, SeesANotifyAfterTheEndAtThePhone) {
  Happens(Notify(1, "open", "terminated"));
  Happens(Notify(2, "open"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kAfterEnd));
}

}  // namespace
}  // namespace presence::simulation
