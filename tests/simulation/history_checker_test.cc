#include "tests/simulation/history_checker_fixture.h"

namespace presence::simulation {
namespace {

using testing::IsEmpty;

// ---- the last durable state reaches every live watcher ----

TEST_F(HistoryCheckerTest, IsContentWithAWatcherThatShowsWhatIsDurable) {
  BecomesDurable(Row(1));
  BecomesDurable(1, "open", "etag1");
  Happens(Notify(1, "open"));

  EXPECT_THAT(Unsettled(), IsEmpty());
  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(HistoryCheckerTest, SeesAWatcherThatShowsAnOlderState) {
  BecomesDurable(Row(1));
  BecomesDurable(1, "open", "etag1");
  Happens(Notify(1, "open"));
  BecomesDurable(1, "busy", "etag2");

  EXPECT_THAT(Unsettled(), Breaks(Invariant::kLastState));
}

TEST_F(HistoryCheckerTest, SeesAWatcherThatWasNeverTold) {
  BecomesDurable(Row(1));

  EXPECT_THAT(Unsettled(), Breaks(Invariant::kLastState));
}

TEST_F(HistoryCheckerTest, ExpectsNothingForOneThatHasForgottenItsDialog) {
  BecomesDurable(Row(1));
  Happens(Forgotten{"call-1"});

  EXPECT_THAT(Unsettled(), IsEmpty());
}

TEST_F(HistoryCheckerTest, DoesNotCountWhatWasNotAnsweredWith200) {
  BecomesDurable(Row(1));
  BecomesDurable(1, "open", "etag1");
  Shown refused = Notify(1, "open");
  refused.status = 503;
  Happens(refused);

  EXPECT_THAT(Unsettled(), Breaks(Invariant::kLastState));
}

TEST_F(HistoryCheckerTest, JoinsPublicationsNewestFirst) {
  BecomesDurable(Row(1));
  BecomesDurable(1, "open", "etag1");
  Pass(absl::Seconds(1));
  BecomesDurable(2, "busy", "etag2");
  Happens(Notify(1, "open+busy"));
  EXPECT_THAT(Unsettled(), Breaks(Invariant::kLastState));

  Happens(Notify(2, "busy+open"));

  EXPECT_THAT(Unsettled(), IsEmpty());
}

TEST_F(HistoryCheckerTest, SeesAnInstructionOlderThanTheOneBefore) {
  Happens(Instruction(1, 1, 7, "busy"));
  Happens(Instruction(2, 1, 6, "open"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kLastState));
}

TEST_F(HistoryCheckerTest, SeesADecisionThatIsNotObeyed) {
  BecomesDurable(Row(1));
  BecomesDurable(1, "open", "etag1");
  Happens(Notify(1, "open"));
  IsDecided(WatcherDecision::kAllow);
  EXPECT_THAT(Unsettled(), IsEmpty());

  IsDecided(WatcherDecision::kBlock);

  EXPECT_THAT(Unsettled(), Breaks(Invariant::kLastState));
}

// ---- watcher information ----

TEST_F(HistoryCheckerTest, MergesWatcherInformation) {
  BecomesDurable(Row(1, "presence.winfo"));
  BecomesDurable(Row(2, "presence", SubscriptionState::kPending));
  Happens(Notify(1, "full 0:3,carol@example.com,active;"));
  Happens(Notify(2, "partial 1:2,bob@example.com,pending;"));
  Happens(Notify(3, "partial 2:3,carol@example.com,terminated;"));
  Shown pending = Notify(1, "", "pending");
  pending.tag = Tag(2).text();
  Happens(pending);

  EXPECT_THAT(Unsettled(), IsEmpty());
}

TEST_F(HistoryCheckerTest, SeesAWatcherTooFewAndOneTooMuch) {
  BecomesDurable(Row(1, "presence.winfo"));
  Happens(Notify(1, "full 0:"));
  EXPECT_THAT(Unsettled(), IsEmpty());
  Happens(Notify(2, "partial 1:3,carol@example.com,active;"));
  EXPECT_THAT(Unsettled(), Breaks(Invariant::kWinfo));

  BecomesDurable(Row(2, "presence", SubscriptionState::kPending));
  Happens(Forgotten{"call-2"});
  Happens(Notify(3, "full 2:"));

  EXPECT_THAT(Unsettled(), Breaks(Invariant::kWinfo));
}

// ---- repeated requests ----

TEST_F(HistoryCheckerTest, SeesAnotherAnswerToTheSameRequest) {
  BecomesDurable(Row(1));
  Happens(Answer("SUBSCRIBE", Tag(1).text(), ""));
  Happens(Answer("SUBSCRIBE", Tag(1).text(), ""));
  EXPECT_THAT(Broken(), IsEmpty());

  BecomesDurable(Row(2));
  Happens(Answer("SUBSCRIBE", Tag(2).text(), ""));

  EXPECT_THAT(Broken(), Breaks(Invariant::kRepeated));
}

TEST_F(HistoryCheckerTest, SeesWhatARepeatedPublishHasDone) {
  BecomesDurable(1, "open", "etag1");
  BecomesDurable(2, "open", "etag2");

  EXPECT_THAT(Broken(), Breaks(Invariant::kRepeated));
}

TEST_F(HistoryCheckerTest, SeesWhatARepeatedSubscribeHasDone) {
  BecomesDurable(Row(1));
  auto again = Row(2);
  again->dialog = Row(1)->dialog;
  BecomesDurable(again);

  EXPECT_THAT(Broken(), Breaks(Invariant::kRepeated));
}

TEST_F(HistoryCheckerTest, LetsALateCopyHaveTheEntityTagOfTheRefreshSince) {
  BecomesDurable(1, "open", "etag1");
  Happens(Answer("PUBLISH", "", "etag1"));
  BecomesDurable(1, "open", "etag2");
  Answered refreshed = Answer("PUBLISH", "", "etag2");
  refreshed.cseq = 2;
  Happens(refreshed);

  Happens(Answer("PUBLISH", "", "etag2"));

  EXPECT_TRUE(Broken().empty());
}

// ---- durable first ----

TEST_F(HistoryCheckerTest, SeesAnEtagThatIsNotDurable) {
  BecomesDurable(1, "open", "etag1");
  Happens(Answer("PUBLISH", "", "etag1"));
  EXPECT_THAT(Broken(), IsEmpty());

  Answered other = Answer("PUBLISH", "", "etag2");
  other.cseq = 2;
  Happens(other);

  EXPECT_THAT(Broken(), Breaks(Invariant::kDurableFirst));
}

TEST_F(HistoryCheckerTest, SeesASubscriptionThatIsNotDurable) {
  Happens(Answer("SUBSCRIBE", Tag(1).text(), ""));

  EXPECT_THAT(Broken(), Breaks(Invariant::kDurableFirst));
}

TEST_F(HistoryCheckerTest, SeesARefreshThatIsNotDurable) {
  BecomesDurable(Row(1));
  Answered refresh = Answer("SUBSCRIBE", Tag(1).text(), "");
  refresh.cseq = 2;
  Happens(refresh);

  EXPECT_THAT(Broken(), Breaks(Invariant::kDurableFirst));
}

TEST_F(HistoryCheckerTest, SeesAPublicationThatWasConfirmedAndIsGone) {
  BecomesDurable(1, "open", "etag1");
  Happens(Answer("PUBLISH", "", "etag1"));
  EXPECT_THAT(Unsettled(), IsEmpty());

  PublicationGoes(1);

  EXPECT_THAT(Unsettled(), Breaks(Invariant::kDurableFirst));
}

// ---- expiry ----

TEST_F(HistoryCheckerTest, GivesWhatHasExpiredASecondToGo) {
  BecomesDurable(1, "open", "etag1");
  Pass(absl::Hours(1) + absl::Seconds(1));
  EXPECT_THAT(Unsettled(), IsEmpty());

  Pass(absl::Milliseconds(1));

  EXPECT_THAT(Unsettled(), Breaks(Invariant::kExpiry));
}

}  // namespace
}  // namespace presence::simulation
