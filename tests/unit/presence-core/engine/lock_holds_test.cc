#include "presence-core/engine/lock_holds.h"

#include <cstdlib>
#include <iostream>
#include <set>

#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

constexpr int kWatchers = 10000;

// One presentity whom ten thousand watch, wait for, or watch being watched. Whatever happens to it,
// no hold of a lock goes through more rows than kMostRowsPerHold: that is what its neighbours in
// the stripe wait for.
class LockHoldsTest : public EngineTest {
 protected:
  LockHoldsTest() : EngineTest(Config(), UnknownWatcher::kAllow) {}

  static EngineConfig Config() {
    EngineConfig config;
    config.max_subscriptions = 30000;
    config.max_per_watcher = 20000;
    config.waiting_lifetime = absl::Hours(1);
    config.resync_rate = 1'000'000;
    return config;
  }
  void SetUp() override {
    journal.fate = [this] { return fate; };
    credit = 1000000;
    StartEngine();
  }
  // Rows that the journal has when the engine starts: cheaper than ten thousand SUBSCRIBEs.
  void Load(RowChanges rows) {
    rows.key = Key("alice");
    rows.resource.emplace();
    rows.resource->revision = {1, 1};
    rows.resource->next_ordinal = 1000000;
    memory_rows = std::move(rows);
    (void)journal.Append(memory_rows, [](const AppendOutcome&) {});
    executor.RunUntilIdle();
    StartEngine();
  }
  std::shared_ptr<struct Subscription> Row(int i, const std::string& event,
                                           absl::Duration lifetime) {
    auto row = std::make_shared<struct Subscription>();
    row->id = LocalTag::Generate(Key("alice").StableHash(), random);
    row->ordinal = static_cast<uint64_t>(i) + 1;
    row->event = Event(event);
    row->watcher = Watcher(event == "presence" ? "w" + std::to_string(i) : "alice");
    row->state = SubscriptionState::kActive;
    row->is_authorized = true;
    row->created_at = clock.Now();
    row->expires_at = clock.Now() + lifetime;
    row->granted = lifetime;
    row->cseq_limit = 256;
    DialogParts parts;
    // One Call-ID for all of them: it is no secret, and may be used to find dialogs.
    parts.call_id = "same";
    parts.remote_tag = "tag-" + std::to_string(i);
    parts.local_uri = "sip:alice@example.com";
    parts.remote_uri = row->watcher.Uri();
    parts.remote_target = "sip:w@192.0.2.1:5060";
    parts.gateway = "gw";
    row->dialog = Dialog(parts);
    return row;
  }
  RowChanges Subscriptions(absl::Duration lifetime = absl::Hours(1)) {
    RowChanges rows;
    for (int i = 0; i < kWatchers; ++i) {
      SubscriptionPtr row = Row(i, "presence", lifetime);
      rows.subscriptions.emplace_back(row->id, row);
    }
    return rows;
  }
  void AddWaiting(RowChanges& rows, absl::Duration waits) {
    for (int i = 0; i < kWatchers; ++i) {
      auto record = std::make_shared<WatcherRecord>();
      record->watcher = Watcher("waiting" + std::to_string(i));
      record->waits_until = clock.Now() + waits;
      record->ordinal = static_cast<uint64_t>(kWatchers + i + 1);
      rows.watchers.emplace_back(record->watcher, record);
    }
  }
  static void AddAnswers(RowChanges& rows, absl::Time kept_until) {
    for (int i = 0; i < kWatchers; ++i) {
      auto record = std::make_shared<AnswerRecord>();
      record->key = RequestKey::Of({"answer", std::to_string(i)});
      record->kept_until = kept_until;
      rows.answers.emplace_back(record->key, record);
    }
  }

  void ExpectBounded() {
    const EngineCounters counters = engine->counters();
    for (size_t i = 0; i < kHoldKinds; ++i) {
      const Hold hold{static_cast<uint8_t>(i)};
      const LockHolds& holds = counters.holds_for(hold);
      if (std::getenv("SHOW_HOLDS") != nullptr && holds.holds > 0) {
        std::cout << "  " << NameOf(hold) << ": " << holds.holds << " holds, " << holds.rows
                  << " rows, at most " << holds.most_rows << "\n";
      }
      EXPECT_LE(holds.most_rows, kMostRowsPerHold) << NameOf(hold);
    }
  }
  uint64_t RowsFor(Hold hold) const { return engine->counters().holds_for(hold).rows; }

  ScriptedJournal::Fate fate = ScriptedJournal::Fate::kDurable;
  RowChanges memory_rows;
};

// N13
TEST_F(LockHoldsTest, OfTheStartAndOfAChangeAreSlices) {
  Load(Subscriptions());
  Answer();
  const size_t before = gateway.sent.size();

  Publish("alice", "open");
  Answer();

  EXPECT_EQ(gateway.sent.size() - before, static_cast<size_t>(kWatchers));
  EXPECT_GE(RowsFor(Hold::kLoad), static_cast<uint64_t>(kWatchers));
  EXPECT_GE(RowsFor(Hold::kNotify), static_cast<uint64_t>(kWatchers));
  ExpectBounded();
}

// N13
TEST_F(LockHoldsTest, OfWatchersWithoutCreditAreSlicesAndNobodyIsForgotten) {
  credit = 100;
  Load(Subscriptions());
  std::set<std::string> told;

  while (told.size() < kWatchers) {
    const size_t before = told.size();
    Answer();
    for (const Instruction& i : gateway.sent) told.insert(i.subscription->id.text());
    ASSERT_GT(told.size(), before);
  }

  // A credit is a step, not a look at all who wait: twice over each at most, and the first round.
  EXPECT_LE(RowsFor(Hold::kNotify), static_cast<uint64_t>(5 * kWatchers));
  EXPECT_GT(RowsFor(Hold::kCredit), 0u);
  ExpectBounded();
}

// N13
TEST_F(LockHoldsTest, OfSubscribesWithTheCallIdOfTenThousandAreSlices) {
  Load(Subscriptions());
  Answer();
  const uint64_t rows = RowsFor(Hold::kCommand);

  SubscribeCommand command = Subscription("alice", "newcomer");
  command.dialog.call_id = "same";
  EXPECT_TRUE(Subscribe(command).ok());

  EXPECT_LE(RowsFor(Hold::kCommand) - rows, 16u);
  ExpectBounded();
}

// S18 N13
TEST_F(LockHoldsTest, OfTenThousandExpiriesAreSlices) {
  Load(Subscriptions(absl::Seconds(60)));
  Answer();

  executor.RunFor(absl::Seconds(62));
  Answer();

  EXPECT_THAT(engine->ListSubscriptions({}).rows, testing::IsEmpty());
  EXPECT_GE(RowsFor(Hold::kAlarm), static_cast<uint64_t>(kWatchers));
  ExpectBounded();
}

// W06
TEST_F(LockHoldsTest, OfTenThousandWhoWaitAndAreGivenUpAreSlices) {
  RowChanges rows;
  AddWaiting(rows, absl::Minutes(10));
  SubscriptionPtr owner = Row(2 * kWatchers, "presence.winfo", absl::Hours(1));
  rows.subscriptions.emplace_back(owner->id, owner);
  Load(std::move(rows));
  Answer();
  EXPECT_GE(RowsFor(Hold::kWinfo), static_cast<uint64_t>(kWatchers));

  executor.RunFor(absl::Minutes(11));
  Answer();

  WatcherFilter filter;
  filter.key = Key("alice");
  EXPECT_THAT(engine->ListWatchers(filter).rows, testing::IsEmpty());
  ExpectBounded();
}

// What is kept of ends is let go of in time, some at a time, but all of it.
TEST_F(LockHoldsTest, OfTenThousandAnswersThatAreForgottenAreSlices) {
  RowChanges rows;
  AddAnswers(rows, clock.Now() + absl::Seconds(30));
  Load(std::move(rows));
  CleanupOutcome left;
  CleanupScope count;
  count.dry_run = true;

  executor.RunFor(absl::Seconds(40));
  engine->Cleanup(count, [&](auto outcome) { left = *outcome; });
  executor.RunUntilIdle();

  EXPECT_EQ(left.answers, 0u);
  EXPECT_EQ(engine->counters().resources_now, 0u);
  ExpectBounded();
}

TEST_F(LockHoldsTest, OfCleanupAreSlicesAndItFindsAllOfThem) {
  config.sweep_interval = absl::ZeroDuration();
  RowChanges rows = Subscriptions(absl::Seconds(60));
  AddWaiting(rows, absl::Seconds(60));
  AddAnswers(rows, clock.Now() + absl::Seconds(3000));
  Load(std::move(rows));
  Answer();
  clock.Advance(absl::Seconds(3600));
  CleanupOutcome would;
  CleanupOutcome did;
  CleanupScope count;
  count.dry_run = true;

  engine->Cleanup(count, [&](auto outcome) { would = *outcome; });
  executor.RunUntilIdle();
  engine->Cleanup({}, [&](auto outcome) { did = *outcome; });
  executor.RunUntilIdle();

  for (const CleanupOutcome& outcome : {would, did}) {
    EXPECT_EQ(outcome.subscriptions, static_cast<uint64_t>(kWatchers));
    EXPECT_EQ(outcome.waiting_watchers, static_cast<uint64_t>(kWatchers));
  }
  EXPECT_EQ(would.answers, did.answers);
  EXPECT_GT(did.answers, static_cast<uint64_t>(kWatchers / 2));  // the alarm has been there before
  ExpectBounded();
}

// W01 W03
TEST_F(LockHoldsTest, OfWatcherInformationForManyOwnersAreSlices) {
  RowChanges rows = Subscriptions();
  for (int i = 0; i < 50; ++i) {
    SubscriptionPtr owner = Row(kWatchers + i, "presence.winfo", absl::Hours(1));
    rows.subscriptions.emplace_back(owner->id, owner);
  }
  Load(std::move(rows));
  Answer();
  const size_t full = gateway.sent.size();
  EXPECT_GE(RowsFor(Hold::kWinfo), static_cast<uint64_t>(50 * kWatchers));

  Decide("alice", "w7", WatcherDecision::kBlock);
  for (int i = 0; i < 50; ++i) Subscribe("alice", "new" + std::to_string(i));
  Answer();

  // 50 new watchers, the one that ends, and 50 owners that hear of it all.
  EXPECT_GE(gateway.sent.size() - full, 101u);
  ExpectBounded();
}

TEST_F(LockHoldsTest, OfAReadingAgainInDoubtAreAsLargeAsTheAppendWas) {
  Load(Subscriptions());
  Answer();
  const size_t before = gateway.sent.size();
  const uint64_t rows = RowsFor(Hold::kLoad);
  fate = ScriptedJournal::Fate::kUnknownWritten;

  engine->Publish(Publication("alice", "open"), [](auto) {});
  executor.RunOne();
  fate = ScriptedJournal::Fate::kDurable;
  executor.RunUntilIdle();
  Answer();

  // All hear of the change that landed, and once.
  EXPECT_EQ(gateway.sent.size() - before, static_cast<size_t>(kWatchers));
  EXPECT_EQ(gateway.sent.back().document.body(), "open");
  EXPECT_LE(RowsFor(Hold::kLoad) - rows, 2u);
  ExpectBounded();
}

TEST_F(LockHoldsTest, OfWhatIsRefusedWhileAllIsInDoubtAreSlices) {
  fate = ScriptedJournal::Fate::kUnknownDropped;
  int failures = 10;
  journal.load_fails = [&] { return failures-- > 0; };
  size_t answers = 0;

  for (int i = 0; i < kWatchers; ++i) {
    engine->Subscribe(Subscription("alice", "w" + std::to_string(i)), [&](auto) { ++answers; });
  }
  executor.RunFor(absl::Seconds(1));

  EXPECT_EQ(answers, static_cast<size_t>(kWatchers));
  ExpectBounded();
}

TEST_F(LockHoldsTest, OfAnInboxOfTenThousandAreBatches) {
  journal.answers_by_itself = false;
  engine->Publish(Publication("alice", "open"), [](auto) {});
  size_t answers = 0;
  for (int i = 0; i < kWatchers; ++i) {
    engine->Subscribe(Subscription("alice", "w" + std::to_string(i)), [&](auto) { ++answers; });
    if (i % 100 == 0) engine->Reauthorize(Key("alice"), [](auto) {});
  }

  fate = ScriptedJournal::Fate::kDurableNow;
  journal.RunHeld();
  executor.RunUntilIdle();

  EXPECT_EQ(answers, static_cast<size_t>(kWatchers));
  EXPECT_GE(RowsFor(Hold::kCommand), static_cast<uint64_t>(kWatchers));
  ExpectBounded();
}

TEST_F(LockHoldsTest, OfListsAndReadersAreSlices) {
  RowChanges rows = Subscriptions();
  AddWaiting(rows, absl::Hours(1));
  Load(std::move(rows));
  Answer();
  WatcherFilter watchers;
  watchers.key = Key("alice");
  watchers.limit = 100000;
  SubscriptionFilter subscriptions;
  subscriptions.limit = 100000;

  EXPECT_EQ(engine->ListWatchers(watchers).rows.size(), static_cast<size_t>(2 * kWatchers));
  EXPECT_EQ(engine->ListSubscriptions(subscriptions).rows.size(), static_cast<size_t>(kWatchers));
  EXPECT_EQ(engine->CountSubscribers(Key("alice")), static_cast<uint32_t>(kWatchers));
  EXPECT_TRUE(engine->GetState({Key("alice"), Event("presence.winfo"), {}, {}, ""}).ok());

  EXPECT_GE(RowsFor(Hold::kList), static_cast<uint64_t>(3 * kWatchers));
  ExpectBounded();
}

TEST_F(LockHoldsTest, OfALostGatewayThatComesBackAreSlices) {
  Load(Subscriptions());
  ASSERT_EQ(gateway.sent.size(), static_cast<size_t>(kWatchers));
  absl::flat_hash_set<Engine::InFlight> in_flight;
  for (int i = 0; i < kWatchers; i += 2) {
    const Instruction& sent = gateway.sent[static_cast<size_t>(i)];
    in_flight.insert({sent.subscription->id, sent.cseq});
  }

  engine->DetachLink(link);
  engine->Reconcile({"gw", "gw"}, std::move(in_flight));
  link = engine->AttachLink({"gw", "gw"}, gateway, credit);
  executor.RunUntilIdle();

  EXPECT_EQ(gateway.sent.size(), static_cast<size_t>(kWatchers + kWatchers / 2));
  EXPECT_GE(RowsFor(Hold::kReconcile), static_cast<uint64_t>(kWatchers));
  ExpectBounded();
}

// N13: each native watcher has a link of its own, with credit for one.
TEST_F(LockHoldsTest, OfTenThousandProgramsThatAreSlowAreSlices) {
  std::vector<std::unique_ptr<RecordingLink>> programs;
  std::vector<Engine::LinkId> links;
  std::vector<LocalTag> ids;
  for (int i = 0; i < kWatchers; ++i) {
    const std::string name = "program" + std::to_string(i);
    programs.push_back(std::make_unique<RecordingLink>());
    links.push_back(engine->AttachLink({name, ""}, *programs.back(), 1));
    WatchCommand watch;
    watch.presentity = Presentity("alice");
    watch.event = Event("presence");
    watch.watcher = Watcher(name);
    watch.link = name;
    engine->Watch(watch, [&](auto outcome) { ids.push_back(outcome->id); });
  }
  executor.RunUntilIdle();
  for (const auto& program : programs) {
    engine->Report({ReportOn(program->sent.at(0), NotifyOutcome::kAnswered, 200)});
  }
  Publish("alice", "open");
  EXPECT_EQ(programs.front()->sent.size(), 1u);  // no credit

  for (size_t i = 0; i < links.size(); i += 2) engine->AddCredit(links[i], 1);
  executor.RunUntilIdle();
  for (size_t i = 1; i < links.size(); i += 2) {
    engine->DetachLink(links[i]);
    engine->ForgetWatch(ids[i]);
  }
  executor.RunUntilIdle();

  for (size_t i = 0; i < programs.size(); ++i) {
    ASSERT_EQ(programs[i]->sent.size(), i % 2 == 0 ? 2u : 1u) << i;
  }
  EXPECT_EQ(engine->CountSubscribers(Key("alice")), static_cast<uint32_t>(kWatchers / 2));
  ExpectBounded();
}

}  // namespace
}  // namespace presence
