#include "presence-core/storage/write_back/shard_writer.h"

#include <algorithm>
#include <utility>

#include "presence-core/model/error.h"

namespace presence {

ShardWriter::ShardWriter(RowStore& store, uint32_t shard, const WriteBackOptions& options,
                         Executor& executor, const Clock& clock, Backlog& backlog,
                         absl::AnyInvocable<void() const> on_idle)
    : store_(store),
      shard_(shard),
      options_(options),
      executor_(executor),
      clock_(clock),
      backlog_(backlog),
      on_idle_(std::move(on_idle)) {}

// --- What is asked.

Journal::Acceptance ShardWriter::Append(const RowChanges& changes, Journal::AppendDone done) {
  if (changes.empty()) return Journal::Acceptance::kDurableNow;
  absl::MutexLock lock(&mu_);
  Entry& entry = FindOrCreate(changes.key);
  const bool is_barred = backlog_.is_fenced || backlog_.IsFull(options_) || !options_.may_promise();
  if (changes.raises_cseq_limit || changes.Concerns(options_.stored_first) || is_barred) {
    ++(is_barred ? backlog_.fallbacks : backlog_.stored_first);
    entry.append = changes;
    entry.append_done = std::move(done);
    waiting_.push_back(&entry);
    Pump();
    return Journal::Acceptance::kPending;
  }
  Promise(entry, changes);
  return Journal::Acceptance::kDurableNow;
}

void ShardWriter::Forget(RowChanges gone) {
  absl::MutexLock lock(&mu_);
  Entry& entry = FindOrCreate(gone.key);
  Promise(entry, std::move(gone));
}

void ShardWriter::Load(const ResourceKey& key, Journal::LoadDone done) {
  absl::MutexLock lock(&mu_);
  Entry& entry = FindOrCreate(key);
  entry.load_done = std::move(done);
  waiting_.push_back(&entry);
  Pump();
}

void ShardWriter::Flush(absl::Time due) {
  absl::MutexLock lock(&mu_);
  due_ = due;
  is_paused_ = false;
  Pump();
}

void ShardWriter::AwaitIdle() {
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(this, &ShardWriter::IsIdle));
}

absl::Time ShardWriter::oldest() const {
  absl::MutexLock lock(&mu_);
  absl::Time oldest = oldest_in_commit_;
  if (!by_age_.empty()) oldest = std::min(oldest, by_age_.begin()->first);
  for (const Refused& refused : refused_) oldest = std::min(oldest, refused.item.since);
  return oldest;
}

// --- Entries.

ShardWriter::Entry& ShardWriter::FindOrCreate(const ResourceKey& key) {
  std::unique_ptr<Entry>& entry = entries_[key];
  if (entry == nullptr) entry = std::make_unique<Entry>(key);
  return *entry;
}

void ShardWriter::ForgetIfEmpty(Entry& entry) {
  if (!entry.rows.empty() || entry.append.has_value() || entry.load_done != nullptr ||
      entry.is_in_commit) {
    return;
  }
  entries_.erase(entries_.find(entry.rows.rows().key));
}

void ShardWriter::Promise(Entry& entry, RowChanges changes) {
  const DirtySize before = entry.rows.size();
  backlog_.coalesced += entry.rows.Put(std::move(changes));
  backlog_.Add(entry.rows.size());
  backlog_.Remove(before);
  SetAge(entry, clock_.Now());
}

void ShardWriter::SetAge(Entry& entry, absl::Time since) {
  if (entry.place.has_value()) {
    since = std::min(since, (*entry.place)->first);
    if (since == (*entry.place)->first) return;
    by_age_.erase(*entry.place);
  }
  entry.place = by_age_.emplace(since, &entry);
}

// --- Commits.

bool ShardWriter::IsDue() const {
  return !is_paused_ && !by_age_.empty() &&
         (by_age_.begin()->first <= due_ || backlog_.IsFull(options_));
}

bool ShardWriter::HasWork() const {
  return !waiting_.empty() || IsDue() || (!is_paused_ && !refused_.empty());
}

void ShardWriter::Pump() {
  if (is_busy_ || !HasWork()) return;
  if (backlog_.is_fenced) {
    Calls calls;
    RejectWaiting(StorageUnavailable("another core owns this shard now"), calls);
    for (Task& call : calls) executor_.Post(std::move(call));
  } else if (lost_.has_value()) {
    AwaitLostCommit();
  } else if (!is_paused_ && !refused_.empty()) {
    CommitRefused();
  } else {
    CommitNext();
  }
}

void ShardWriter::AwaitLostCommit() {
  is_busy_ = true;
  store_.Read(*lost_, [this](const absl::StatusOr<std::optional<ResourceRows>>& rows) {
    OnLostCommitEnded(rows.status());
  });
}

void ShardWriter::OnLostCommitEnded(const absl::Status& status) {
  Calls calls;
  {
    absl::MutexLock lock(&mu_);
    is_busy_ = false;
    if (status.ok()) {
      lost_.reset();
    } else {
      is_paused_ = true;
      RejectWaiting(status, calls);
    }
    ++telling_;
    Pump();
  }
  Tell(calls, /*is_last=*/true);
}

void ShardWriter::CommitRefused() {
  is_busy_ = true;
  Refused refused = std::move(refused_.front());
  refused_.pop_front();
  oldest_in_commit_ = refused.item.since;
  std::vector<RowChanges> batch;
  batch.push_back(std::move(refused.rows));
  CommitInHalves(store_, shard_, std::move(batch), SmallestPart::kRow,
                 [this, item = std::move(refused.item)](CommittedPart part) mutable {
                   OnRowPart(item, std::move(part));
                 });
}

void ShardWriter::CommitNext() {
  std::vector<RowChanges> batch;
  std::vector<Item> items;
  uint64_t rows = 0;
  const auto take = [&](Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    items.push_back(TakeItem(entry, batch));
    rows += batch.back().size();
  };
  while (!waiting_.empty() && rows < options_.max_batch_rows) {
    Entry& entry = *waiting_.front();
    waiting_.pop_front();
    if (entry.append.has_value() || !entry.rows.empty()) {
      take(entry);
      continue;
    }
    store_.Read(entry.rows.rows().key, std::exchange(entry.load_done, nullptr));
    ForgetIfEmpty(entry);
  }
  while (IsDue() && rows < options_.max_batch_rows) take(*by_age_.begin()->second);
  if (batch.empty()) return;
  is_busy_ = true;
  for (const Item& item : items) oldest_in_commit_ = std::min(oldest_in_commit_, item.since);
  CommitInHalves(store_, shard_, std::move(batch), SmallestPart::kChange,
                 [this, items = std::move(items)](CommittedPart part) mutable {
                   OnPart(items, std::move(part));
                 });
}

ShardWriter::Item ShardWriter::TakeItem(Entry& entry, std::vector<RowChanges>& batch) {
  Item item;
  item.entry = &entry;
  if (entry.place.has_value()) {
    item.since = (*entry.place)->first;
    by_age_.erase(*std::exchange(entry.place, std::nullopt));
  }
  item.promised_size = entry.rows.size();
  if (entry.append.has_value()) {
    item.has_append = true;
    item.append_done = std::exchange(entry.append_done, nullptr);
    if (!entry.rows.empty()) item.promised = entry.rows.rows();
    entry.rows.Put(*std::exchange(entry.append, std::nullopt));
  }
  item.load_done = std::exchange(entry.load_done, nullptr);
  batch.push_back(entry.rows.Take());
  entry.is_in_commit = true;
  return item;
}

// --- What became of them.

void ShardWriter::OnPart(std::vector<Item>& items, CommittedPart part) {
  Calls calls;
  {
    absl::MutexLock lock(&mu_);
    const ResourceKey key = part.changes.front().key;
    for (size_t i = 0; i < part.changes.size(); ++i) {
      Settle(items[part.first + i], std::move(part.changes[i]), part.outcome, calls);
    }
    AfterPart(part, key, calls);
  }
  Tell(calls, part.is_last);
}

void ShardWriter::OnRowPart(Item& item, CommittedPart part) {
  Calls calls;
  {
    absl::MutexLock lock(&mu_);
    const ResourceKey key = part.changes.front().key;
    SettleRefused(item, std::move(part.changes.front()), part.outcome, calls);
    if (part.is_last) {
      item.entry->is_in_commit = false;
      ForgetIfEmpty(*item.entry);
    }
    AfterPart(part, key, calls);
  }
  Tell(calls, part.is_last);
}

void ShardWriter::AfterPart(const CommittedPart& part, const ResourceKey& key, Calls& calls) {
  backlog_.commits += part.commits;
  ++telling_;
  switch (part.outcome.result) {
    case CommitResult::kCommitted:
    case CommitResult::kBadRow:
      break;
    case CommitResult::kFenced:
      backlog_.is_fenced = true;
      calls.emplace_back([this] { options_.on_fenced(); });
      break;
    case CommitResult::kUnknown:
      lost_ = key;
      [[fallthrough]];
    case CommitResult::kFailed:
      ++backlog_.failed;
      is_paused_ = true;
      break;
  }
  if (!part.is_last) return;
  is_busy_ = false;
  oldest_in_commit_ = absl::InfiniteFuture();
  // The disk need not wait for those who are told now.
  Pump();
}

void ShardWriter::Tell(Calls& calls, bool is_last) {
  for (Task& call : calls) call();
  if (is_last) on_idle_();
  absl::MutexLock lock(&mu_);
  --telling_;
}

void ShardWriter::Settle(Item& item, RowChanges rows, const CommitOutcome& outcome, Calls& calls) {
  Entry& entry = *item.entry;
  entry.is_in_commit = false;
  const bool is_committed = outcome.result == CommitResult::kCommitted;
  if (is_committed) {
    backlog_.Remove(item.promised_size);
    backlog_.written += rows.size();
  } else if (item.has_append && outcome.result != CommitResult::kUnknown) {
    if (item.promised.has_value()) {
      Restore(entry, item.since, *std::move(item.promised), item.promised_size);
    }
  } else if (!item.has_append && outcome.result == CommitResult::kBadRow) {
    if (rows.size() == 1) {
      Drop(entry, rows, outcome.status, calls);
    } else {
      entry.is_in_commit = true;
      Refused& refused = refused_.emplace_back();
      refused.item.entry = &entry;
      refused.item.since = item.since;
      refused.rows = std::move(rows);
    }
  } else if (!item.has_append || item.promised.has_value()) {
    // Unknown: the append may be in the database, so it can only be gone on from there. The caller
    // is told that it is unknown, and its load finds all of it.
    Restore(entry, item.since, std::move(rows), item.promised_size);
  }  // An unknown append alone: its load finds it or not.
  if (item.has_append) {
    calls.emplace_back([done = std::move(item.append_done), told = OutcomeFor(outcome)]() mutable {
      done(std::move(told));
    });
  }
  if (item.load_done != nullptr && is_committed) {
    store_.Read(entry.rows.rows().key, std::move(item.load_done));
  } else if (item.load_done != nullptr) {
    calls.emplace_back([done = std::move(item.load_done), status = outcome.status]() mutable {
      done(std::move(status));
    });
  }
  ForgetIfEmpty(entry);
}

void ShardWriter::SettleRefused(Item& item, RowChanges rows, const CommitOutcome& outcome,
                                Calls& calls) {
  if (outcome.result == CommitResult::kCommitted) {
    backlog_.Remove(DirtySize::Of(rows));
    backlog_.written += rows.size();
  } else if (outcome.result == CommitResult::kBadRow) {
    Drop(*item.entry, rows, outcome.status, calls);
  } else {
    const DirtySize promised = DirtySize::Of(rows);
    Restore(*item.entry, item.since, std::move(rows), promised);
  }
}

void ShardWriter::Drop(const Entry& entry, const RowChanges& rows, const absl::Status& why,
                       Calls& calls) {
  backlog_.Remove(DirtySize::Of(rows));
  backlog_.refused += rows.size();
  calls.emplace_back([this, key = entry.rows.rows().key, why] { options_.on_refused(key, why); });
}

void ShardWriter::Restore(Entry& entry, absl::Time since, RowChanges rows,
                          const DirtySize& promised) {
  const DirtySize before = entry.rows.size();
  DirtyRows restored(rows.key);
  restored.Put(std::move(rows));
  restored.Put(entry.rows.Take());
  entry.rows = std::move(restored);
  backlog_.Add(entry.rows.size());
  backlog_.Remove(before);
  backlog_.Remove(promised);
  SetAge(entry, since);
}

void ShardWriter::RejectWaiting(const absl::Status& status, Calls& calls) {
  for (Entry* entry : std::exchange(waiting_, {})) {
    if (entry->append.has_value()) {
      entry->append.reset();
      calls.emplace_back([done = std::exchange(entry->append_done, nullptr), status]() mutable {
        done({AppendResult::kRejected, status});
      });
    }
    if (entry->load_done != nullptr) {
      calls.emplace_back(
          [done = std::exchange(entry->load_done, nullptr), status]() mutable { done(status); });
    }
    ForgetIfEmpty(*entry);
  }
}

}  // namespace presence
