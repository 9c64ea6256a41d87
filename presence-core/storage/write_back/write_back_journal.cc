#include "presence-core/storage/write_back/write_back_journal.h"

#include <algorithm>
#include <utility>

namespace presence {
namespace {

// Rows are written when they are due, not all at the end of an interval, so the database sees an
// even load. Failed commits are tried again at this pace, too.
constexpr int kTicksPerInterval = 8;
constexpr absl::Duration kShortestTick = absl::Milliseconds(1);
constexpr absl::Duration kLongestTick = absl::Seconds(1);

absl::Duration TickOf(absl::Duration interval) {
  return std::clamp(interval / kTicksPerInterval, kShortestTick, kLongestTick);
}

// Takes the rows of kinds that are not `kept` out of `rows`, and returns what deletes them.
RowChanges TakeOut(ResourceRows& rows, StateKinds kept) {
  RowChanges gone;
  gone.key = rows.key;
  if (!kept.publications) {
    for (const auto& row : rows.publications) gone.publications.emplace_back(row->id, nullptr);
    rows.publications.clear();
    for (const auto& row : rows.documents) gone.documents.emplace_back(row->name, nullptr);
    rows.documents.clear();
    // Watchers still show what is gone.
    if (!gone.empty()) rows.resource.settled_seq.reset();
  }
  if (!kept.subscriptions) {
    for (const auto& row : rows.subscriptions) gone.subscriptions.emplace_back(row->id, nullptr);
    rows.subscriptions.clear();
  }
  if (!kept.decisions) {
    for (const auto& row : rows.watchers) gone.watchers.emplace_back(row->watcher, nullptr);
    rows.watchers.clear();
  }
  return gone;
}

}  // namespace

WriteBackJournal::WriteBackJournal(RowStore& store, Executor& executor, const Clock& clock,
                                   Options options)
    : store_(store),
      executor_(executor),
      clock_(clock),
      options_(std::move(options)),
      tick_(TickOf(options_.flush_interval)) {
  for (uint32_t shard = 0; shard < store_.shards(); ++shard) {
    shards_.push_back(std::make_unique<ShardWriter>(store_, shard, options_, executor_, clock_,
                                                    backlog_, [this] { EndDrain(); }));
  }
  executor_.PostAt(clock_.Now() + tick_, [this] { Tick(); });
}

Journal::Acceptance WriteBackJournal::Append(const RowChanges& changes, AppendDone done) {
  return shards_[store_.ShardOf(changes.key)]->Append(changes, std::move(done));
}

void WriteBackJournal::Load(const ResourceKey& key, LoadDone done) {
  shards_[store_.ShardOf(key)]->Load(key, std::move(done));
}

absl::Status WriteBackJournal::LoadAll(absl::FunctionRef<void(ResourceRows)> visit) {
  return store_.ReadAll([&](ResourceRows rows) {
    if (RowChanges gone = TakeOut(rows, options_.kept); !gone.empty()) {
      shards_[store_.ShardOf(rows.key)]->Forget(std::move(gone));
    }
    visit(std::move(rows));
  });
}

void WriteBackJournal::Tick() {
  const absl::Time now = clock_.Now();
  bool is_draining = false;
  {
    absl::MutexLock lock(&mu_);
    is_draining = draining_.has_value();
  }
  // What would be late at the next tick goes now.
  FlushAll(is_draining ? absl::InfiniteFuture() : now - options_.flush_interval + tick_);
  executor_.PostAt(now + tick_, [this] { Tick(); });
}

void WriteBackJournal::FlushAll(absl::Time due) {
  for (const auto& shard : shards_) shard->Flush(due);
}

void WriteBackJournal::Drain(absl::Time deadline, Drained done) {
  {
    absl::MutexLock lock(&mu_);
    draining_ = Draining{deadline, std::move(done)};
  }
  FlushAll(absl::InfiniteFuture());
  executor_.Post([this] { EndDrain(); });  // there may be nothing to write
  executor_.PostAt(deadline, [this] { EndDrain(); });
}

void WriteBackJournal::EndDrain() {
  std::optional<Draining> ended;
  const uint64_t rows_left = backlog_.rows;
  {
    absl::MutexLock lock(&mu_);
    if (!draining_.has_value()) return;
    if (rows_left > 0 && !backlog_.is_fenced && clock_.Now() < draining_->deadline) return;
    ended = std::exchange(draining_, std::nullopt);
  }
  ended->done(rows_left);
}

void WriteBackJournal::AwaitIdle() {
  for (const auto& shard : shards_) shard->AwaitIdle();
}

WriteBackJournal::Counters WriteBackJournal::counters() const {
  Counters counters;
  counters.dirty_rows = backlog_.rows;
  counters.dirty_bytes = backlog_.bytes;
  absl::Time oldest = absl::InfiniteFuture();
  for (const auto& shard : shards_) oldest = std::min(oldest, shard->oldest());
  if (oldest != absl::InfiniteFuture()) counters.oldest = clock_.Now() - oldest;
  counters.commits = backlog_.commits;
  counters.written = backlog_.written;
  counters.coalesced = backlog_.coalesced;
  counters.failed = backlog_.failed;
  counters.refused = backlog_.refused;
  counters.stored_first = backlog_.stored_first;
  counters.fallbacks = backlog_.fallbacks;
  return counters;
}

}  // namespace presence
