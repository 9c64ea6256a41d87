#include "tests/simulation/watch_checker.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence::simulation {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

auto Breaks(Invariant invariant) { return ElementsAre(Field(&Violation::invariant, invariant)); }

// One program that watches alice, in histories written by hand.
class WatchCheckerTest : public testing::Test {
 protected:
  WatchCheckerTest() { checker_.OnCoreStarted(1); }

  void Begins(bool resumes = false) {
    checker_.On(WatchAsked{"app", "bob@example.com", {{"alice@example.com", "presence"}}, resumes});
  }
  void Ends(ErrorReason reason = ErrorReason::kUnspecified,
            absl::Duration stalled = absl::ZeroDuration()) {
    checker_.On(WatchEnded{"app", reason, stalled});
  }
  static Watched Item(Watched::Kind kind) {
    Watched watched;
    watched.program = "app";
    watched.kind = kind;
    watched.presentity = "alice@example.com";
    watched.event = "presence";
    return watched;
  }
  void IsShown(uint64_t epoch, uint64_t seq, const std::string& body,
               NotifyCause cause = NotifyCause::kPublish) {
    Watched watched = Item(Watched::Kind::kState);
    watched.revision = {epoch, seq};
    watched.body = body;
    watched.cause = cause;
    checker_.On(watched);
  }
  void IsTold(SubscriptionState state) {
    Watched watched = Item(Watched::Kind::kStatus);
    watched.state = state;
    checker_.On(watched);
  }
  void IsDone() { checker_.On(Item(Watched::Kind::kSnapshotDone)); }
  void IsReset() { checker_.On(Item(Watched::Kind::kReset)); }

  static ResourceKey Alice() {
    return {*PresentityUri::Parse("sip:alice@example.com"), *EventName::Parse("presence")};
  }
  void BecomesDurable(const std::string& text) {
    auto row = std::make_shared<Publication>();
    row->id = 1;
    row->document = Document("text/plain", text);
    durable_[Alice()].publications[1] = std::move(row);
  }
  void IsDecided(WatcherDecision decision) {
    auto record = std::make_shared<WatcherRecord>();
    record->watcher = *WatcherUri::Parse("sip:bob@example.com");
    record->decision = decision;
    durable_[Alice()].watchers["bob@example.com"] = std::move(record);
  }
  std::vector<Violation> Unsettled() const {
    std::vector<Violation> unsettled;
    checker_.FindUnsettled(durable_, unsettled);
    return unsettled;
  }

  std::vector<Violation> broken_;
  WatchChecker checker_{broken_};
  DurableModels durable_;
};

TEST_F(WatchCheckerTest, IsContentWithASnapshotAndNewerStates) {
  BecomesDurable("busy");
  Begins();
  IsShown(1, 4, "open");
  IsDone();
  IsShown(1, 7, "busy");

  EXPECT_THAT(broken_, IsEmpty());
  EXPECT_THAT(Unsettled(), IsEmpty());
}

TEST_F(WatchCheckerTest, SeesAProgramThatShowsAnOlderState) {
  Begins();
  IsShown(1, 4, "open");
  BecomesDurable("busy");

  EXPECT_THAT(Unsettled(), Breaks(Invariant::kLastState));
}

TEST_F(WatchCheckerTest, SeesAProgramThatHasNoStreamAnyMore) {
  BecomesDurable("open");
  Begins();
  IsShown(1, 4, "open");
  Ends();
  EXPECT_THAT(Unsettled(), Breaks(Invariant::kLastState));

  IsDecided(WatcherDecision::kBlock);  // then it may have none

  EXPECT_THAT(Unsettled(), IsEmpty());
}

TEST_F(WatchCheckerTest, SeesADecisionThatItWasNotTold) {
  BecomesDurable("open");
  Begins();
  IsShown(1, 4, "open");
  IsDecided(WatcherDecision::kConfirm);
  EXPECT_THAT(Unsettled(), Breaks(Invariant::kLastState));

  IsTold(SubscriptionState::kPending);

  EXPECT_THAT(Unsettled(), IsEmpty());
}

// O08
TEST_F(WatchCheckerTest, SeesASecondSnapshotForACurrentToken) {
  Begins();
  IsShown(1, 4, "open");
  Ends();
  Begins(/*resumes=*/true);
  IsDone();
  IsShown(1, 5, "busy");
  EXPECT_THAT(broken_, IsEmpty());
  Ends();

  Begins(/*resumes=*/true);
  IsShown(1, 5, "busy");

  EXPECT_THAT(broken_, Breaks(Invariant::kResume));
}

TEST_F(WatchCheckerTest, LetsAStateComeAgainAfterADecision) {
  Begins();
  IsShown(1, 4, "open");
  IsTold(SubscriptionState::kPending);
  IsTold(SubscriptionState::kActive);
  IsShown(1, 4, "open");
  IsShown(1, 4, "open", NotifyCause::kRules);
  EXPECT_THAT(broken_, IsEmpty());

  IsShown(1, 4, "open");

  EXPECT_THAT(broken_, Breaks(Invariant::kResume));
}

TEST_F(WatchCheckerTest, SeesAStateThatGoesBack) {
  Begins();
  IsShown(1, 4, "open");
  IsShown(1, 3, "busy");

  EXPECT_THAT(broken_, Breaks(Invariant::kResume));
}

// O08
TEST_F(WatchCheckerTest, SeesAResetThatIsMissing) {
  Begins();
  IsShown(1, 4, "open");
  Ends();
  checker_.OnCoreStarted(2);
  Begins(/*resumes=*/true);
  IsReset();
  IsShown(2, 1, "open");
  EXPECT_THAT(broken_, IsEmpty());
  Ends();
  checker_.OnCoreStarted(3);

  Begins(/*resumes=*/true);
  IsDone();

  EXPECT_THAT(broken_, Breaks(Invariant::kResume));
}

TEST_F(WatchCheckerTest, SeesAResetWithoutNeed) {
  Begins();
  IsShown(1, 4, "open");
  Ends();
  Begins(/*resumes=*/true);
  IsReset();

  EXPECT_THAT(broken_, Breaks(Invariant::kResume));
}

TEST_F(WatchCheckerTest, SeesASnapshotThatLeavesATargetOut) {
  Begins();
  IsDone();

  EXPECT_THAT(broken_, Breaks(Invariant::kResume));
}

TEST_F(WatchCheckerTest, SeesAnythingAfterTheEndOfATarget) {
  Begins();
  IsTold(SubscriptionState::kTerminated);
  IsShown(1, 4, "open");

  EXPECT_THAT(broken_, Breaks(Invariant::kAfterEnd));
}

TEST_F(WatchCheckerTest, SeesAProgramThatReadsCutOffForItsQueue) {
  Begins();
  Ends(ErrorReason::kOverloaded, absl::Seconds(30));
  EXPECT_THAT(broken_, IsEmpty());
  Begins();

  Ends(ErrorReason::kOverloaded, absl::Seconds(29));

  EXPECT_THAT(broken_, Breaks(Invariant::kBounded));
}

// O08: such watchers show in watcher information.
TEST_F(WatchCheckerTest, ExpectsNativeWatchersInWatcherInformation) {
  Begins();
  const DurableModel nothing;
  EXPECT_EQ(checker_.WrongWith({{9, "bob@example.com,active"}}, Alice(), nothing, "core"), "");
  EXPECT_NE(checker_.WrongWith({}, Alice(), nothing, "core"), "");
  EXPECT_NE(checker_.WrongWith({{9, "bob@example.com,pending"}}, Alice(), nothing, "core"), "");

  Ends();

  EXPECT_EQ(checker_.WrongWith({}, Alice(), nothing, "core"), "");
  EXPECT_NE(checker_.WrongWith({{9, "bob@example.com,active"}}, Alice(), nothing, "core"), "");
}

}  // namespace
}  // namespace presence::simulation
