#ifndef PRESENCE_TESTS_UNIT_PRESENCE_CORE_STORAGE_WRITE_BACK_WRITE_BACK_FIXTURE_H_
#define PRESENCE_TESTS_UNIT_PRESENCE_CORE_STORAGE_WRITE_BACK_WRITE_BACK_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/storage/write_back/write_back_journal.h"
#include "runtime/manual_executor.h"
#include "tests/fakes/fake_row_store.h"

namespace presence {

// A write-back journal of one shard over a database that fails when told, in a process that can
// die.
class WriteBackTest : public testing::Test {
 protected:
  static constexpr absl::Duration kInterval = absl::Seconds(1);
  static constexpr absl::Duration kTick = absl::Milliseconds(125);

  WriteBackTest() { StartProcess(); }

  // A new process on the same database; what an earlier one had in memory is gone.
  void StartProcess() {
    executor_.Clear();
    journal_.reset();
    WriteBackOptions options;
    options.kept = kept_;
    options.stored_first = stored_first_;
    options.flush_interval = kInterval;
    options.max_dirty_rows = 50;
    options.max_dirty_bytes = 1 << 20;
    options.max_batch_rows = 20;
    options.may_promise = [this] { return may_promise_; };
    options.on_fenced = [this] { ++fenced_; };
    options.on_refused = [this](const ResourceKey& key, const absl::Status&) {
      refused_.push_back(key);
    };
    journal_ = std::make_unique<WriteBackJournal>(store_, executor_, clock_, std::move(options));
  }
  // The process dies here and now.
  void Crash() { StartProcess(); }

  static ResourceKey Key(int number) {
    return {*PresentityUri::FromText("user" + std::to_string(number) + "@example.com"),
            *EventName::Parse("presence")};
  }
  static LocalTag Tag(int number) {
    SeededRandom random(static_cast<uint64_t>(number));
    return LocalTag::Generate(Key(1).StableHash(), random);
  }
  static void Put(RowChanges& changes, PublicationId id, const std::string& body) {
    auto row = std::make_shared<Publication>();
    row->id = id;
    row->document = Document("text/plain", body);
    changes.publications.emplace_back(id, std::move(row));
  }
  static RowChanges Published(int number, const std::string& body, PublicationId id = 1) {
    RowChanges changes;
    changes.key = Key(number);
    Put(changes, id, body);
    return changes;
  }
  static RowChanges Subscribed(int number, uint32_t cseq_limit) {
    RowChanges changes;
    changes.key = Key(1);
    auto row = std::make_shared<Subscription>();
    row->id = Tag(number);
    row->cseq_limit = cseq_limit;
    changes.subscriptions.emplace_back(row->id, row);
    return changes;
  }
  static RowChanges Raised(int number, uint32_t cseq_limit) {
    RowChanges changes = Subscribed(number, cseq_limit);
    changes.raises_cseq_limit = true;
    return changes;
  }

  struct Ended {
    bool was_at_once = false;
    std::optional<AppendResult> result;
  };
  std::shared_ptr<Ended> Append(const RowChanges& changes) {
    auto ended = std::make_shared<Ended>();
    ended->was_at_once = journal_->Append(changes, [ended](AppendOutcome outcome) {
      EXPECT_FALSE(ended->result.has_value()) << "told twice";
      ended->result = outcome.result;
    }) == Journal::Acceptance::kDurableNow;
    return ended;
  }
  void AppendAtOnce(const RowChanges& changes) { ASSERT_TRUE(Append(changes)->was_at_once); }
  AppendResult AppendAndWait(const RowChanges& changes) {
    const auto ended = Append(changes);
    EXPECT_FALSE(ended->was_at_once);
    executor_.RunUntilIdle();
    EXPECT_TRUE(ended->result.has_value());
    return ended->result.value_or(AppendResult::kDurable);
  }
  absl::StatusOr<std::optional<ResourceRows>> Load(int number) {
    std::optional<absl::StatusOr<std::optional<ResourceRows>>> loaded;
    journal_->Load(Key(number), [&](auto rows) { loaded = std::move(rows); });
    executor_.RunUntilIdle();
    return loaded.has_value() ? *loaded : absl::UnknownError("never answered");
  }

  // What the database holds of a resource.
  std::vector<std::string> Bodies(int number) const {
    std::vector<std::string> bodies;
    const auto rows = store_.rows().Find(Key(number));
    if (!rows.has_value()) return bodies;
    for (const PublicationPtr& row : rows->publications) {
      bodies.emplace_back(row->document.body());
    }
    return bodies;
  }
  std::vector<uint32_t> Limits() const {
    std::vector<uint32_t> limits;
    const auto rows = store_.rows().Find(Key(1));
    if (!rows.has_value()) return limits;
    for (const SubscriptionPtr& row : rows->subscriptions) limits.push_back(row->cseq_limit);
    return limits;
  }
  // Lets time pass until what was appended now is in a commit that has not ended.
  void BeginFlush() {
    const size_t commits = store_.batch_sizes().size();
    executor_.RunFor(kInterval - 2 * kTick);
    clock_.Advance(kTick);
    ASSERT_TRUE(executor_.RunOne());
    ASSERT_EQ(store_.batch_sizes().size(), commits);
    ASSERT_EQ(executor_.NextDue(), clock_.Now());
  }
  void EveryCommit(FakeRowStore::Fate fate) {
    store_.fate = [fate] { return fate; };
  }
  void NextCommit(FakeRowStore::Fate fate) {
    store_.fate = [fate, used = false]() mutable {
      return std::exchange(used, true) ? FakeRowStore::Fate::kCommitted : fate;
    };
  }

  StateKinds kept_;
  bool may_promise_ = true;
  StateKinds stored_first_ = StateKinds::None();
  ManualClock clock_;
  ManualExecutor executor_{clock_};
  FakeRowStore store_{executor_, /*shards=*/1, /*lanes=*/1};
  int fenced_ = 0;
  std::vector<ResourceKey> refused_;
  std::unique_ptr<WriteBackJournal> journal_;
};

}  // namespace presence

#endif  // PRESENCE_TESTS_UNIT_PRESENCE_CORE_STORAGE_WRITE_BACK_WRITE_BACK_FIXTURE_H_
