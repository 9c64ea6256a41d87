#include <algorithm>

#include "presence-core/engine/winfo_state.h"
#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class WinfoTest : public EngineTest {
 protected:
  void SetUp() override {
    registry = MakeTextRegistry(UnknownWatcher::kPending);
    StartEngine();
  }
  // What the watcher information dialogs have been sent since the last call.
  std::vector<std::string> Winfo() {
    std::vector<std::string> texts;
    for (; seen < gateway.sent.size(); ++seen) {
      const Instruction& i = gateway.sent[seen];
      if (i.subscription->event.is_winfo()) texts.emplace_back(i.document.body());
    }
    return texts;
  }
};

// W01 W03
TEST_F(WinfoTest, ReportsEverySubscriptionInFullAndThenWhatChanges) {
  Subscribe("alice", "bob");
  Subscribe("alice", "bob");
  Subscribe("alice", "alice", "presence.winfo");
  Answer();
  Subscribe("alice", "carol");
  Answer();

  EXPECT_THAT(Winfo(), ElementsAre("full 0: bob@example.com pending subscribe; "
                                   "bob@example.com pending subscribe;",
                                   "partial 1: carol@example.com pending subscribe;"));
}

// W03: a dialog that comes between a change and its round must not take the place of another.
TEST_F(WinfoTest, LeavesNobodyOutWhenADialogComesDuringARound) {
  use_memory = true;
  StartEngine();
  Subscribe("alice", "alice", "presence.winfo");
  Answer();
  Subscribe("alice", "carol");  // a round that ends behind the only dialog
  Answer();
  Winfo();

  // Both are applied before anybody is told.
  engine->Subscribe(Subscription("alice", "bob"), [](const auto&) {});
  engine->Subscribe(Subscription("alice", "alice", "presence.winfo"), [](const auto&) {});
  executor.RunUntilIdle();

  EXPECT_THAT(Winfo(), UnorderedElementsAre("partial 2: bob@example.com pending subscribe;",
                                            "full 0: carol@example.com pending subscribe; "
                                            "bob@example.com pending subscribe;"));
}

// W03, N04: a partial document is of no use to a watcher that may not have the version before.
TEST_F(WinfoTest, IsFullAfterATimeoutThatWasGivenUp) {
  config.on_notify_timeout = OnNotifyTimeout::kKeep;
  StartEngine();
  Subscribe("alice", "alice", "presence.winfo");
  Answer();
  Subscribe("alice", "bob");
  Fail(NotifyOutcome::kTimeout);
  Winfo();

  Subscribe("alice", "carol");

  EXPECT_THAT(Winfo(), ElementsAre("full 2: bob@example.com pending subscribe; "
                                   "carol@example.com pending subscribe;"));
}

// N01: one jump upward, to a full document, and then by one again.
TEST_F(WinfoTest, GoesOnWithAFullStateAfterARestart) {
  Subscribe("alice", "alice", "presence.winfo");
  Answer();
  Subscribe("alice", "bob");
  Answer();
  EXPECT_THAT(Winfo(), SizeIs(2));
  StartEngine();
  Answer();
  Subscribe("alice", "carol");
  Answer();

  EXPECT_THAT(Winfo(), ElementsAre("full 256: bob@example.com pending subscribe;",
                                   "partial 257: carol@example.com pending subscribe;"));
}

// W02
TEST_F(WinfoTest, IsForThePresentityOnly) {
  EXPECT_EQ(ReasonOf(Subscribe("alice", "bob", "presence.winfo").status()),
            ErrorReason::kWatcherBlocked);
}

// W04
TEST_F(WinfoTest, SaysApprovedAndRejected) {
  Subscribe("alice", "bob");
  Subscribe("alice", "mallory");
  Subscribe("alice", "alice", "presence.winfo");
  Answer();
  Winfo();

  Decide("alice", "bob", WatcherDecision::kAllow);
  Answer();
  Decide("alice", "mallory", WatcherDecision::kBlock);
  Answer();

  EXPECT_THAT(Winfo(), ElementsAre("partial 1: bob@example.com active approved;",
                                   "partial 2: mallory@example.com terminated rejected;"));
}

// W05
TEST_F(WinfoTest, SaysTimeoutWhenAnActiveWatcherGoesOrItsNotifyFails) {
  Decide("alice", "bob", WatcherDecision::kAllow);
  SubscribeCommand shortly = Subscription("alice", "bob");
  shortly.expiry = absl::Seconds(60);
  Subscribe(shortly);
  Subscribe("alice", "alice", "presence.winfo");
  Answer();
  Winfo();

  executor.RunFor(absl::Seconds(61));
  Answer();

  EXPECT_THAT(Winfo(), ElementsAre("partial 1: bob@example.com terminated timeout;"));
}

// W06
TEST_F(WinfoTest, APendingWatcherThatGoesIsWaitingUntilGivenUp) {
  config.waiting_lifetime = absl::Minutes(30);
  StartEngine();
  SubscribeCommand shortly = Subscription("alice", "bob");
  shortly.expiry = absl::Seconds(60);
  Subscribe(shortly);
  Subscribe("alice", "alice", "presence.winfo");
  Answer();
  Winfo();

  executor.RunFor(absl::Seconds(61));
  Answer();
  EXPECT_THAT(Winfo(), ElementsAre("partial 1: bob@example.com waiting timeout;"));
  executor.RunFor(absl::Minutes(30));
  Answer();

  EXPECT_THAT(Winfo(), ElementsAre("partial 2: bob@example.com terminated giveup;"));
}

// W07
TEST_F(WinfoTest, ARefreshGetsTheFullStateUnderTheNextVersion) {
  SubscribeCommand winfo = Subscription("alice", "alice", "presence.winfo");
  const LocalTag tag = Subscribe(winfo)->id;
  Answer();
  Subscribe("alice", "bob");
  Answer();
  Winfo();

  winfo.local_tag = tag.text();
  winfo.cseq = 2;
  Subscribe(winfo);

  EXPECT_THAT(Winfo(), ElementsAre("full 2: bob@example.com pending subscribe;"));
}

// W08
TEST_F(WinfoTest, AFetchShowsOnlyWhenItLeavesSomebodyToDecideOn) {
  Decide("alice", "friend", WatcherDecision::kAllow);
  Subscribe("alice", "alice", "presence.winfo");
  Answer();
  Winfo();

  SubscribeCommand fetch = Subscription("alice", "friend");
  fetch.expiry = absl::ZeroDuration();
  Subscribe(fetch);
  Answer();
  EXPECT_THAT(Winfo(), IsEmpty());
  fetch = Subscription("alice", "stranger");
  fetch.expiry = absl::ZeroDuration();
  Subscribe(fetch);
  Answer();

  EXPECT_THAT(Winfo(), ElementsAre("partial 1: stranger@example.com waiting timeout;"));
}

// N06
TEST_F(WinfoTest, MergesWhatChangesWhileANotifyIsUnanswered) {
  Subscribe("alice", "alice", "presence.winfo");
  Winfo();

  Subscribe("alice", "bob");
  Subscribe("alice", "carol");
  Decide("alice", "bob", WatcherDecision::kAllow);
  EXPECT_THAT(Winfo(), IsEmpty());
  Answer();

  EXPECT_THAT(Winfo(), ElementsAre("partial 1: carol@example.com pending subscribe; "
                                   "bob@example.com active approved;"));
}

TEST_F(WinfoTest, SplitsAFullStateThatIsTooLargeIntoAFullAndPartialDocuments) {
  for (int i = 0; i < 450; ++i) Subscribe("alice", "w" + std::to_string(i));
  Answer();
  Winfo();

  Subscribe("alice", "alice", "presence.winfo");
  Answer();

  const std::vector<std::string> texts = Winfo();
  ASSERT_EQ(texts.size(), 3u);
  size_t watchers = 0;
  for (const std::string& text : texts) {
    watchers += static_cast<size_t>(std::count(text.begin(), text.end(), ';'));
  }
  EXPECT_EQ(watchers, 450u);
  EXPECT_EQ(texts[0].substr(0, 7), "full 0:");
  EXPECT_EQ(texts[2].substr(0, 10), "partial 2:");
}

// N12: parts are measured in bytes, too, and what does not fit into one is in the next.
TEST_F(WinfoTest, SplitsAFullStateOfLongUrisByTheirLength) {
  const std::string longest(480, 'w');
  for (int i = 0; i < 300; ++i) Subscribe("alice", longest + std::to_string(i));
  Answer();
  Winfo();

  Subscribe("alice", "alice", "presence.winfo");
  Answer();

  const std::vector<std::string> texts = Winfo();
  ASSERT_EQ(texts.size(), 3u);
  size_t watchers = 0;
  for (const std::string& text : texts) {
    EXPECT_LE(text.size(), kWinfoPart.bytes);
    watchers += static_cast<size_t>(std::count(text.begin(), text.end(), ';'));
  }
  EXPECT_EQ(watchers, 300u);
  EXPECT_THAT(cuts.cuts, IsEmpty());
}

// W08: nothing can follow the one NOTIFY of a fetch, nor what a reader asks for once.
TEST_F(WinfoTest, SaysHowManyWatchersHadNoRoomWhereThereIsOneDocumentOnly) {
  for (int i = 0; i < 1000; ++i) Subscribe("alice", "w" + std::to_string(i));
  Answer();
  Winfo();

  SubscribeCommand fetch = Subscription("alice", "alice", "presence.winfo");
  fetch.expiry = absl::ZeroDuration();
  Subscribe(fetch);
  Answer();
  const auto read = engine->GetState({Key("alice"), Event("presence.winfo"), {}, {}, ""});

  const std::vector<std::string> texts = Winfo();
  ASSERT_EQ(texts.size(), 1u);
  EXPECT_EQ(std::count(texts[0].begin(), texts[0].end(), ';'), 800);
  const std::string_view body = read->document->body();
  EXPECT_EQ(std::count(body.begin(), body.end(), ';'), 800);
  EXPECT_THAT(cuts.cuts, ElementsAre("alice winfo 200", "alice winfo 200"));
}

// W03: so many changes at once that a full state says them shorter.
TEST_F(WinfoTest, StartsAnewForAnOwnerWhoHasMissedTooMuch) {
  Subscribe("alice", "alice", "presence.winfo");
  Winfo();

  for (size_t i = 0; i <= WinfoLog::kMostChanges; ++i) Subscribe("alice", "w" + std::to_string(i));
  Answer();

  const std::vector<std::string> texts = Winfo();
  ASSERT_FALSE(texts.empty());
  EXPECT_EQ(texts[0].substr(0, 7), "full 1:");
  size_t watchers = 0;
  for (const std::string& text : texts) {
    watchers += static_cast<size_t>(std::count(text.begin(), text.end(), ';'));
  }
  EXPECT_EQ(watchers, WinfoLog::kMostChanges + 1);
}

// W06: one watcher waits once, and no element of it may stay pending for ever.
TEST_F(WinfoTest, TwoPendingSubscriptionsOfOneWatcherBothLeaveThePendingState) {
  for (int i = 0; i < 2; ++i) {
    SubscribeCommand brief = Subscription("alice", "bob");
    brief.expiry = absl::Seconds(60 + i);
    Subscribe(brief);
  }
  Subscribe("alice", "alice", "presence.winfo");
  Answer();
  Winfo();

  executor.RunFor(absl::Seconds(60.5));
  Answer();
  executor.RunFor(absl::Seconds(1));
  Answer();

  EXPECT_THAT(Winfo(), ElementsAre("partial 1: bob@example.com waiting timeout;",
                                   "partial 2: bob@example.com terminated giveup;"));
}

}  // namespace
}  // namespace presence
