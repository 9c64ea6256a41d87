#include "tests/unit/presence-core/engine/import_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(ImportTest, RefreshesADialogByTheTagThatAnotherServerChose) {
  ASSERT_TRUE(Import(BobsSubscription()).ok());

  const auto refreshed = Subscribe(InDialog(4));

  ASSERT_TRUE(refreshed.ok()) << refreshed.status();
  EXPECT_FALSE(refreshed->created);
  EXPECT_EQ(refreshed->adopted_tag, kForeignTag);
  EXPECT_THAT(Sent(), ElementsAre("bob 42 active none"));
  EXPECT_EQ(gateway.sent.back().subscription->dialog.adopted_tag(), kForeignTag);
}

TEST_F(ImportTest, GoesOnWithTheDialogAfterARestart) {
  ASSERT_TRUE(Import(BobsSubscription()).ok());
  ASSERT_TRUE(Subscribe(InDialog(4)).ok());
  Answer();

  StartEngine();
  const auto refreshed = Subscribe(InDialog(5));

  ASSERT_TRUE(refreshed.ok()) << refreshed.status();
  EXPECT_GT(gateway.sent.back().cseq, 42u);
}

TEST_F(ImportTest, GoesOnAboveTheirCseqWhenTheAnswerOfTheJournalWasLost) {
  journal.fate = [] { return ScriptedJournal::Fate::kUnknownWritten; };
  EXPECT_FALSE(Import(BobsSubscription()).ok());
  journal.fate = [] { return ScriptedJournal::Fate::kDurable; };
  executor.RunFor(absl::Seconds(1));

  ASSERT_TRUE(Subscribe(InDialog(4)).ok());

  ASSERT_FALSE(gateway.sent.empty());
  EXPECT_GT(gateway.sent.front().cseq, 41u);
}

TEST_F(ImportTest, ChecksWhatElseNamesTheDialog) {
  ASSERT_TRUE(Import(BobsSubscription()).ok());
  SubscribeCommand other_call = InDialog(4);
  other_call.dialog.call_id = "mine";
  SubscribeCommand other_tag = InDialog(4);
  other_tag.dialog.remote_tag = "mine";
  SubscribeCommand by_id = InDialog(4);
  by_id.local_tag = OnlySubscription().subscription->id.text();

  EXPECT_EQ(ReasonOf(Subscribe(other_call).status()), ErrorReason::kSubscriptionUnknown);
  EXPECT_EQ(ReasonOf(Subscribe(other_tag).status()), ErrorReason::kSubscriptionUnknown);
  EXPECT_EQ(ReasonOf(Subscribe(by_id).status()), ErrorReason::kSubscriptionUnknown);
}

TEST_F(ImportTest, RefusesAnOlderCseqThanTheOtherServerHasSeen) {
  ASSERT_TRUE(Import(BobsSubscription()).ok());

  EXPECT_EQ(ReasonOf(Subscribe(InDialog(2)).status()), ErrorReason::kCseqTooOld);
}

TEST_F(ImportTest, ForgetsTheTagWithTheSubscription) {
  ASSERT_TRUE(Import(BobsSubscription()).ok());
  SubscribeCommand end = InDialog(4);
  end.expiry = absl::ZeroDuration();

  ASSERT_TRUE(Subscribe(end).ok());
  Answer();
  const auto again = Subscribe(end);
  const auto later = Subscribe(InDialog(5));

  EXPECT_THAT(Sent(), ElementsAre("bob 42 terminated;timeout none"));
  EXPECT_TRUE(again.ok()) << "the same request, over another gateway, gets its answer again";
  EXPECT_EQ(ReasonOf(later.status()), ErrorReason::kSubscriptionUnknown);
}

TEST_F(ImportTest, KeepsATagOfOurs) {
  const auto made = Subscribe("alice", "bob");
  const SubscriptionPtr row = OnlySubscription().subscription;
  Answer();
  engine->EndSubscription(made->id.text(), TerminationReason::kDeactivated, [](auto) {});
  executor.RunUntilIdle();
  Answer();
  ImportedSubscription item = BobsDialog();
  item.local_tag = row->id.text();

  ASSERT_TRUE(Import({Key("alice"), item}).ok());

  EXPECT_EQ(OnlySubscription().subscription->id, row->id);
  EXPECT_EQ(OnlySubscription().subscription->dialog.adopted_tag(), "");
}

TEST_F(ImportTest, TakesNothingTwice) {
  const ImportCommand records[] = {BobAsWatcher(WatcherDecision::kAllow),
                                   AlicesPublication("open", "e1"), BobsSubscription()};
  for (const ImportCommand& record : records)
    EXPECT_EQ(*Import(record).operator->(), ImportOutcome::kTaken);
  Subscribe(InDialog(4));
  Answer();
  Sent();
  const size_t appends = journal.appends();

  for (const ImportCommand& record : records) {
    EXPECT_EQ(*Import(record).operator->(), ImportOutcome::kTakenBefore);
  }

  EXPECT_EQ(journal.appends(), appends);
  EXPECT_THAT(Sent(), IsEmpty());
}

TEST_F(ImportTest, DoesNotBringBackAPublicationThatWasModifiedSince) {
  ASSERT_TRUE(Import(AlicesPublication("open", "e1")).ok());
  PublishCommand modify = Publication("alice", "busy");
  modify.etag = Etag("e1");
  ASSERT_TRUE(Publish(modify).ok());
  clock.Advance(absl::Minutes(9));

  EXPECT_EQ(*Import(AlicesPublication("open", "e1")).operator->(), ImportOutcome::kTakenBefore);

  const auto page = engine->ListPublications({});
  ASSERT_EQ(page.rows.size(), 1u);
  EXPECT_EQ(page.rows[0].publication->document.body(), "busy");
}

TEST_F(ImportTest, DoesNotBringBackAPublicationThatWasRemovedBeforeARestart) {
  ASSERT_TRUE(Import(AlicesPublication("open", "e1")).ok());
  PublishCommand remove;
  remove.presentity = Presentity("alice");
  remove.event = Event("presence");
  remove.etag = Etag("e1");
  remove.expiry = absl::ZeroDuration();
  ASSERT_TRUE(Publish(remove).ok());
  StartEngine();
  ImportCommand again = AlicesPublication("open", "e1");
  again.replaces = true;

  EXPECT_EQ(*Import(again).operator->(), ImportOutcome::kTakenBefore);

  EXPECT_EQ(engine->counters().publications_now, 0u);
}

TEST_F(ImportTest, DoesNotBringBackADialogThatHasEnded) {
  ASSERT_TRUE(Import(BobsSubscription()).ok());
  SubscribeCommand end = InDialog(4);
  end.expiry = absl::ZeroDuration();
  ASSERT_TRUE(Subscribe(end).ok());
  Answer();
  Sent();

  EXPECT_EQ(*Import(BobsSubscription()).operator->(), ImportOutcome::kTakenBefore);

  EXPECT_EQ(engine->counters().subscriptions_now, 0u);
  EXPECT_THAT(Sent(), IsEmpty());
}

TEST_F(ImportTest, ForgetsWhatItTookWhenThatCannotComeAgain) {
  ASSERT_TRUE(Import(AlicesPublication("open", "e1")).ok());
  ASSERT_TRUE(Import(BobsSubscription()).ok());
  Answer();

  executor.RunFor(absl::Minutes(11));
  Answer();
  executor.RunFor(absl::Minutes(11));

  EXPECT_EQ(engine->counters().resources_now, 0u);
}

// A request_id is kept for 10 minutes, however long what was imported lives.
TEST_F(ImportTest, ForgetsOtherAnswersMeanwhile) {
  ImportCommand record = AlicesPublication("open", "e1");
  std::get<ImportedPublication>(record.item).expires_at = clock.Now() + absl::Hours(1);
  ASSERT_TRUE(Import(record).ok());
  PublishCommand first = Publication("alice", "busy");
  first.idempotency.request_id = RequestKey::Of({"id"});
  first.idempotency.content = RequestKey::Of({"busy"});
  ASSERT_TRUE(Publish(first).ok());

  executor.RunFor(absl::Minutes(11));

  PublishCommand second = Publication("alice", "away");
  second.idempotency.request_id = RequestKey::Of({"id"});
  second.idempotency.content = RequestKey::Of({"away"});
  EXPECT_TRUE(Publish(second).ok());
}

TEST_F(ImportTest, SkipsWhatHasExpired) {
  ImportCommand publication = AlicesPublication("open", "e1");
  std::get<ImportedPublication>(publication.item).expires_at = clock.Now();
  ImportCommand subscription = BobsSubscription();
  std::get<ImportedSubscription>(subscription.item).expires_at = clock.Now();

  EXPECT_EQ(*Import(publication).operator->(), ImportOutcome::kSkipped);
  EXPECT_EQ(*Import(subscription).operator->(), ImportOutcome::kSkipped);
  EXPECT_EQ(engine->counters().resources_now, 0u);
}

TEST_F(ImportTest, ReplacesOnlyWhenToldTo) {
  ASSERT_TRUE(Import(AlicesPublication("open", "e1")).ok());
  ImportCommand other = AlicesPublication("busy", "e1");
  EXPECT_EQ(*Import(other).operator->(), ImportOutcome::kSkipped);
  other.replaces = true;

  EXPECT_EQ(*Import(other).operator->(), ImportOutcome::kTaken);

  const auto page = engine->ListPublications({});
  ASSERT_EQ(page.rows.size(), 1u);
  EXPECT_EQ(page.rows[0].publication->document.body(), "busy");
}

// P06
TEST_F(ImportTest, LetsAPublisherGoOnWithItsEntityTag) {
  ASSERT_TRUE(Import(AlicesPublication("open", "a.1448391234.5.1.0")).ok());
  PublishCommand refresh;
  refresh.presentity = Presentity("alice");
  refresh.event = Event("presence");
  refresh.etag = Etag("a.1448391234.5.1.0");

  const auto refreshed = Publish(refresh);

  ASSERT_TRUE(refreshed.ok()) << refreshed.status();
  EXPECT_EQ(engine->counters().publications_now, 1u);
}

TEST_F(ImportTest, TellsWhoWatchesWhatComesIn) {
  Subscribe("alice", "carol");
  Answer();
  Sent();

  ASSERT_TRUE(Import(AlicesPublication("open", "e1")).ok());

  EXPECT_THAT(Sent(), ElementsAre("carol 2 active open"));
}

TEST_F(ImportTest, TellsAnImportedWatcherTheNextChange) {
  ASSERT_TRUE(Import(AlicesPublication("open", "e1")).ok());
  ASSERT_TRUE(Import(BobsSubscription()).ok());
  EXPECT_THAT(Sent(), IsEmpty());

  Publish("alice", "busy");

  EXPECT_THAT(Sent(), ElementsAre("bob 42 active busy+open"));
}

TEST_F(ImportTest, TellsAnImportedWatcherAtOnceWhenAsked) {
  ASSERT_TRUE(Import(AlicesPublication("open", "e1")).ok());
  ImportCommand command = BobsSubscription();
  command.notifies = true;

  ASSERT_TRUE(Import(command).ok());

  EXPECT_THAT(Sent(), ElementsAre("bob 42 active open"));
}

TEST_F(ImportTest, ChangesNothingInADryRun) {
  for (ImportCommand record : {BobAsWatcher(WatcherDecision::kBlock),
                               AlicesPublication("open", "e1"), BobsSubscription()}) {
    record.is_dry_run = true;
    EXPECT_EQ(*Import(record).operator->(), ImportOutcome::kTaken);
  }

  EXPECT_EQ(journal.appends(), 0u);
  EXPECT_EQ(engine->counters().resources_now, 0u);
}

TEST_F(ImportTest, RefusesADocumentThatCouldNotBePublished) {
  EXPECT_EQ(ReasonOf(Import(AlicesPublication("bad", "e1")).status()), ErrorReason::kBadDocument);
}

TEST_F(ImportTest, RefusesTheDialogOfABlockedWatcher) {
  Decide("alice", "bob", WatcherDecision::kBlock);

  EXPECT_EQ(ReasonOf(Import(BobsSubscription()).status()), ErrorReason::kWatcherBlocked);
}

TEST_F(ImportTest, KeepsToTheLimits) {
  config.max_publications = 1;
  config.max_per_watcher = 1;
  StartEngine();
  ASSERT_TRUE(Import(AlicesPublication("open", "e1")).ok());
  ASSERT_TRUE(Import(BobsSubscription()).ok());
  ImportedSubscription another = BobsDialog();
  another.dialog.call_id = "another";

  EXPECT_EQ(ReasonOf(Import(AlicesPublication("busy", "e2")).status()),
            ErrorReason::kQuotaExceeded);
  EXPECT_EQ(ReasonOf(Import({Key("alice"), another}).status()), ErrorReason::kQuotaExceeded);
}

TEST_F(ImportTest, RefusesACseqThatCannotRise) {
  ImportedSubscription item = BobsDialog();
  item.local_cseq = 0x7FFFFFFF;

  EXPECT_EQ(ReasonOf(Import({Key("alice"), item}).status()), ErrorReason::kInvalidField);
}

TEST_F(ImportTest, GrantsNoLongerThanThePackageDoes) {
  ImportCommand command = BobsSubscription();
  std::get<ImportedSubscription>(command.item).expires_at = clock.Now() + absl::Hours(24 * 365);
  ASSERT_TRUE(Import(command).ok());

  EXPECT_LE(OnlySubscription().subscription->expires_at, clock.Now() + absl::Hours(24 * 7));
}

// Whoever watches watchers is sent a whole document, in a version above all it has seen.
TEST_F(ImportTest, GoesOnAboveTheVersionOfAWinfoDialog) {
  ImportedSubscription item = BobsDialog("presence.winfo");
  item.watcher = Watcher("alice");
  item.document_version = 77;

  ASSERT_TRUE(Import({Key("alice"), item}).ok());

  ASSERT_EQ(gateway.sent.size(), 1u);
  const std::string body(gateway.sent[0].document.body());
  EXPECT_EQ(gateway.sent[0].cseq, 78u);
  EXPECT_THAT(body, testing::HasSubstr("78"));
  EXPECT_THAT(body, testing::HasSubstr("full"));
}

class PendingImportTest : public ImportTest {
 protected:
  PendingImportTest() { registry = MakeTextRegistry(UnknownWatcher::kPending); }
};

TEST_F(PendingImportTest, KeepsWhatWasDecidedElsewhereWhereNobodyDecidesHere) {
  ASSERT_TRUE(Import(AlicesPublication("open", "e1")).ok());
  ASSERT_TRUE(Import(BobsSubscription()).ok());
  ImportedSubscription pending = BobsDialog();
  pending.watcher = Watcher("erin");
  pending.dialog.call_id = "another";
  pending.state = SubscriptionState::kPending;
  ASSERT_TRUE(Import({Key("alice"), pending}).ok());

  Publish("alice", "busy");

  EXPECT_THAT(Sent(), ElementsAre("bob 42 active busy+open"));
}

TEST_F(PendingImportTest, LetsADecisionThatComesLaterCount) {
  ImportedSubscription pending = BobsDialog();
  pending.state = SubscriptionState::kPending;
  ASSERT_TRUE(Import({Key("alice"), pending}).ok());

  ASSERT_TRUE(Import(BobAsWatcher(WatcherDecision::kAllow)).ok());

  EXPECT_THAT(Sent(), ElementsAre("bob 42 active none"));
}

TEST_F(PendingImportTest, RemembersWhoWaitsUnlessItSubscribes) {
  ASSERT_TRUE(Import(BobAsWatcher(WatcherDecision::kNone)).ok());
  WatcherFilter of_alice;
  of_alice.key = Key("alice");
  const auto waiting = engine->ListWatchers(of_alice);
  ASSERT_EQ(waiting.rows.size(), 1u);
  EXPECT_EQ(waiting.rows[0].state, SubscriptionState::kWaiting);
  ImportedSubscription pending = BobsDialog();
  pending.state = SubscriptionState::kPending;

  ASSERT_TRUE(Import({Key("alice"), pending}).ok());
  EXPECT_EQ(*Import(BobAsWatcher(WatcherDecision::kNone)).operator->(), ImportOutcome::kSkipped);

  const auto watchers = engine->ListWatchers(of_alice);
  ASSERT_EQ(watchers.rows.size(), 1u);
  EXPECT_EQ(watchers.rows[0].state, SubscriptionState::kPending);
}

TEST_F(ImportTest, RefusesAWatcherOfWhomNothingIsSaid) {
  ImportCommand command = BobAsWatcher(WatcherDecision::kNone);
  std::get<ImportedWatcher>(command.item).is_waiting = false;

  EXPECT_EQ(ReasonOf(Import(command).status()), ErrorReason::kInvalidField);
}

TEST_F(ImportTest, ListsWhatIsRememberedOfWatchersPageByPage) {
  for (const char* presentity : {"alice", "dora"}) {
    for (const char* watcher : {"bob", "carol", "erin"}) {
      Decide(presentity, watcher, WatcherDecision::kAllow);
    }
  }

  std::vector<std::string> listed;
  WatcherRecordFilter filter;
  filter.limit = 2;
  do {
    const auto page = engine->ListWatcherRecords(filter);
    for (const auto& row : page.rows) {
      listed.push_back(std::string(row.key.presentity.user()) + " " +
                       std::string(row.record->watcher.user()));
    }
    filter.after = page.next;
  } while (filter.after.has_value());

  EXPECT_THAT(listed, ElementsAre("alice bob", "alice carol", "alice erin", "dora bob",
                                  "dora carol", "dora erin"));
}

}  // namespace
}  // namespace presence
