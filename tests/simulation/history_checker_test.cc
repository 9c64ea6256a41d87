#include "tests/simulation/history_checker.h"

#include <initializer_list>
#include <ostream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence::simulation {

void PrintTo(const Violation& violation, std::ostream* out) {
  *out << NameOf(violation.invariant) << ": " << violation.what;
}

namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

auto Breaks(Invariant invariant) { return ElementsAre(Field(&Violation::invariant, invariant)); }

// Histories written by hand: each invariant has one that keeps it and one that just does not.
class HistoryCheckerTest : public testing::Test {
 protected:
  HistoryCheckerTest() { Happens(CoreStarted{1}); }

  template <typename What>
  void Happens(What what) {
    checker_.OnEvent({now_, std::move(what)});
  }
  void Pass(absl::Duration time) { now_ += time; }

  static ResourceKey Alice() {
    return {*PresentityUri::Parse("sip:alice@example.com"), *EventName::Parse("presence")};
  }
  static LocalTag Tag(int number) {
    return *LocalTag::Parse("00000001" + std::string(22, '0') + std::to_string(10 + number));
  }
  static WatcherUri Uri(const std::string& user) {
    return *WatcherUri::Parse("sip:" + user + "@example.com");
  }

  void BecomesDurable(PublicationId id, const std::string& text, const std::string& etag) {
    auto row = std::make_shared<Publication>();
    row->id = id;
    row->document = Document("text/plain", text);
    row->etag = Etag(etag);
    row->expires_at = now_ + absl::Hours(1);
    row->received_at = now_;
    RowChanges rows;
    rows.key = Alice();
    rows.publications.emplace_back(id, std::move(row));
    Happens(Durable{std::move(rows)});
  }
  void PublicationGoes(PublicationId id) {
    RowChanges rows;
    rows.key = Alice();
    rows.publications.emplace_back(id, nullptr);
    Happens(Durable{std::move(rows)});
  }

  std::shared_ptr<Subscription> Row(int number, const std::string& event = "presence",
                                    SubscriptionState state = SubscriptionState::kActive) {
    auto row = std::make_shared<Subscription>();
    row->id = Tag(number);
    row->ordinal = static_cast<uint64_t>(number);
    row->event = *EventName::Parse(event);
    row->watcher = Uri("bob");
    row->state = state;
    row->is_authorized = state == SubscriptionState::kActive;
    row->expires_at = now_ + absl::Hours(1);
    DialogParts parts;
    parts.call_id = "call-" + std::to_string(number);
    parts.remote_tag = "remote";
    row->dialog = Dialog(parts);
    row->remote_cseq = 1;
    return row;
  }
  void BecomesDurable(std::shared_ptr<Subscription> row) {
    RowChanges rows;
    rows.key = Alice();
    const LocalTag id = row->id;
    rows.subscriptions.emplace_back(id, std::move(row));
    Happens(Durable{std::move(rows)});
  }
  void IsDecided(WatcherDecision decision) {
    auto record = std::make_shared<WatcherRecord>();
    record->watcher = Uri("bob");
    record->decision = decision;
    RowChanges rows;
    rows.key = Alice();
    rows.watchers.emplace_back(record->watcher, record);
    Happens(Durable{std::move(rows)});
  }

  static Instructed Instruction(uint32_t cseq, uint64_t epoch, uint64_t seq,
                                const std::string& body) {
    Instructed instructed;
    instructed.tag = Tag(1).text();
    instructed.cseq = cseq;
    instructed.epoch = epoch;
    instructed.seq = seq;
    instructed.body = body;
    return instructed;
  }
  static Instructed End(uint32_t cseq) {
    Instructed instructed = Instruction(cseq, 1, 1, "open");
    instructed.is_terminating = true;
    return instructed;
  }
  static Shown Notify(uint32_t cseq, const std::string& body, const std::string& state = "active") {
    Shown shown;
    shown.phone = "bob";
    shown.call_id = "call-1";
    shown.tag = Tag(1).text();
    shown.cseq = cseq;
    shown.state = state;
    shown.body = body;
    return shown;
  }
  static Answered Answer(const std::string& method, const std::string& tag,
                         const std::string& etag) {
    Answered answered;
    answered.phone = "bob";
    answered.method = method;
    answered.call_id = "call-1";
    answered.cseq = 1;
    answered.status = 200;
    answered.tag = tag;
    answered.etag = etag;
    answered.expires = absl::Hours(1);
    return answered;
  }

  const std::vector<Violation>& Broken() const { return checker_.violations(); }
  std::vector<Violation> Unsettled() const { return checker_.Unsettled(now_); }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  HistoryChecker checker_;
};

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

// ---- CSeq ----

TEST_F(HistoryCheckerTest, LetsCseqRiseByOneAndJumpOnceInANewLife) {
  Happens(Instruction(1, 1, 1, "open"));
  Happens(Instruction(2, 1, 2, "busy"));
  Happens(Instruction(257, 2, 3, "busy"));
  Happens(Instruction(258, 2, 4, "busy"));

  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(HistoryCheckerTest, SeesACseqUsedTwice) {
  Happens(Instruction(1, 1, 1, "open"));
  Happens(Instruction(1, 1, 2, "busy"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kCseq));
}

TEST_F(HistoryCheckerTest, SeesACseqLeftOut) {
  Happens(Instruction(1, 1, 1, "open"));
  Happens(Instruction(3, 1, 2, "busy"));
  EXPECT_THAT(Unsettled(), Breaks(Invariant::kCseq));

  Happens(Instruction(257, 2, 3, "busy"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kCseq));
}

TEST_F(HistoryCheckerTest, LetsInstructionsOfTwoGatewaysOvertakeEachOther) {
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

TEST_F(HistoryCheckerTest, SeesTheFirstCseqLeftOut) {
  BecomesDurable(Row(1));
  Happens(Instruction(2, 1, 1, "open"));

  EXPECT_THAT(Unsettled(), testing::Contains(Field(&Violation::invariant, Invariant::kCseq)));
}

TEST_F(HistoryCheckerTest, SeesACseqThatFallsInANewLife) {
  Happens(Instruction(1, 1, 1, "open"));
  Happens(Instruction(2, 1, 1, "open"));
  Happens(Instruction(2, 2, 2, "busy"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kCseq));
}

TEST_F(HistoryCheckerTest, SeesAnInstructionOfAnEarlierLife) {
  Happens(Instruction(1, 2, 1, "open"));
  Happens(Instruction(2, 1, 2, "busy"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kCseq));
}

TEST_F(HistoryCheckerTest, SeesTwoContentsUnderOneCseqAtAPhone) {
  Happens(Notify(1, "open"));
  Happens(Notify(1, "open"));  // sent again
  EXPECT_THAT(Broken(), IsEmpty());

  Happens(Notify(1, "busy"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kCseq));
}

// ---- the version of watcher information ----

TEST_F(HistoryCheckerTest, LetsVersionsRiseByOneAndJumpToAFullDocumentInANewLife) {
  Happens(Instruction(1, 1, 1, "full 0:"));
  Happens(Instruction(2, 1, 1, "partial 1:"));
  Happens(Instruction(257, 2, 1, "full 256:"));

  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(HistoryCheckerTest, SeesAVersionLeftOut) {
  Happens(Instruction(1, 1, 1, "full 0:"));
  Happens(Instruction(2, 1, 1, "full 2:"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kVersion));
}

TEST_F(HistoryCheckerTest, SeesAFirstVersionThatIsNotZero) {
  BecomesDurable(Row(1, "presence.winfo"));
  Happens(Instruction(1, 1, 1, "full 1:"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kVersion));
}

TEST_F(HistoryCheckerTest, SeesAFirstVersionThatIsNotZeroInAFetch) {
  Instructed fetch = End(1);
  fetch.body = "full 1:";
  Happens(fetch);

  EXPECT_THAT(Broken(), Breaks(Invariant::kVersion));
}

TEST_F(HistoryCheckerTest, LetsTheFirstDocumentBeOvertakenByTheSecond) {
  BecomesDurable(Row(1, "presence.winfo"));
  Happens(Instruction(2, 1, 1, "partial 1:"));
  Happens(Instruction(1, 1, 1, "full 0:"));

  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(HistoryCheckerTest, LetsTheFirstDocumentThatIsSaidInALaterLifeHaveAnyVersion) {
  BecomesDurable(Row(1, "presence.winfo"));
  Happens(CoreStarted{2});
  Happens(Instruction(257, 2, 1, "full 256:"));
  Happens(Instruction(258, 2, 1, "partial 257:"));

  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(HistoryCheckerTest, SeesAPartialDocumentAtFirst) {
  Happens(Instruction(1, 1, 1, "partial 0:"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kVersion));
}

TEST_F(HistoryCheckerTest, SeesAPartialDocumentAfterARestart) {
  Happens(Instruction(1, 1, 1, "full 0:"));
  Happens(Instruction(257, 2, 1, "partial 256:"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kVersion));
}

TEST_F(HistoryCheckerTest, SeesAPartialDocumentThatLeavesAGapAtThePhone) {
  Happens(Notify(1, "full 0:"));
  Happens(Notify(3, "full 2:"));
  EXPECT_THAT(Broken(), IsEmpty());

  Happens(Notify(5, "partial 4:"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kVersion));
}

// ---- a NOTIFY for each SUBSCRIBE ----

TEST_F(HistoryCheckerTest, SeesARefreshThatWasAnsweredAndNotFollowedByANotify) {
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

TEST_F(HistoryCheckerTest, SeesARefreshThatWasAnsweredAndNotNotifiedBecauseItWasRemoved) {
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

TEST_F(HistoryCheckerTest, LetsTheEndBeToldAgain) {
  Happens(Instruction(1, 1, 1, "open"));
  Happens(End(2));
  Happens(End(3));

  EXPECT_THAT(Broken(), IsEmpty());
}

TEST_F(HistoryCheckerTest, SeesAnInstructionAfterTheEnd) {
  Happens(End(1));
  Happens(Instruction(2, 1, 1, "open"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kAfterEnd));
}

TEST_F(HistoryCheckerTest, SeesANotifyAfterTheEndAtThePhone) {
  Happens(Notify(1, "open", "terminated"));
  Happens(Notify(2, "open"));

  EXPECT_THAT(Broken(), Breaks(Invariant::kAfterEnd));
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
