#include "presence-core/storage/write_through/write_through_journal.h"

#include <algorithm>
#include <utility>

namespace presence {

WriteThroughJournal::WriteThroughJournal(RowStore& store, Options options)
    : store_(store), options_(std::move(options)) {
  for (uint32_t i = 0; i < store_.lanes(); ++i) lanes_.push_back(std::make_unique<Lane>());
}

Journal::Acceptance WriteThroughJournal::Append(const RowChanges& changes, AppendDone done) {
  const uint32_t shard = store_.ShardOf(changes.key);
  Lane& lane = *lanes_[store_.LaneOf(shard)];
  absl::MutexLock lock(&lane.mu);
  const auto is_open = [&](const Flight& flight) {
    return flight.shard == shard && flight.batch.size() < options_.max_batch;
  };
  auto open = std::find_if(lane.waiting.begin(), lane.waiting.end(), is_open);
  if (open == lane.waiting.end()) open = lane.waiting.insert(open, Flight{shard, {}, {}});
  open->batch.push_back(changes);
  open->done.push_back(std::move(done));
  if (!lane.is_committing) CommitNext(lane);
  return Acceptance::kPending;
}

void WriteThroughJournal::CommitNext(Lane& lane) {
  if (lane.waiting.empty()) return;
  lane.is_committing = true;
  Flight flight = std::move(lane.waiting.front());
  lane.waiting.pop_front();
  {
    absl::MutexLock lock(&counters_mu_);
    counters_.largest_batch = std::max<uint64_t>(counters_.largest_batch, flight.batch.size());
  }
  CommitInHalves(store_, flight.shard, std::move(flight.batch), SmallestPart::kChange,
                 [this, &lane, done = std::move(flight.done)](const CommittedPart& part) mutable {
                   OnCommitted(lane, done, part);
                 });
}

void WriteThroughJournal::OnCommitted(Lane& lane, std::vector<AppendDone>& waiting,
                                      const CommittedPart& part) {
  Count(part);
  if (part.outcome.result == CommitResult::kFenced) options_.on_fenced();
  {
    absl::MutexLock lock(&lane.mu);
    ++lane.answering;
    if (part.is_last) {
      lane.is_committing = false;
      // The disk need not wait for those who are told now.
      CommitNext(lane);
    }
  }
  auto moved = part.outcome.moved.begin();
  for (size_t i = 0; i < part.changes.size(); ++i) {
    const bool has_moved = moved != part.outcome.moved.end() && *moved == i;
    if (has_moved) ++moved;
    waiting[part.first + i](has_moved ? AppendOutcome{AppendResult::kMoved, {}}
                                      : OutcomeFor(part.outcome));
  }
  absl::MutexLock lock(&lane.mu);
  --lane.answering;
}

template <typename T>
absl::AnyInvocable<void(absl::StatusOr<T>)> WriteThroughJournal::Awaited(
    uint32_t shard, absl::AnyInvocable<void(absl::StatusOr<T>)> done) {
  Lane& lane = *lanes_[store_.LaneOf(shard)];
  {
    absl::MutexLock lock(&lane.mu);
    ++lane.answering;
  }
  return [&lane, done = std::move(done)](absl::StatusOr<T> found) mutable {
    done(std::move(found));
    absl::MutexLock lock(&lane.mu);
    --lane.answering;
  };
}

void WriteThroughJournal::Drain() {
  // An answer asks for more of its own resource only, so a lane that is idle stays so.
  for (const auto& lane : lanes_) {
    absl::MutexLock lock(&lane->mu);
    lane->mu.Await(absl::Condition(lane.get(), &Lane::IsIdle));
  }
}

void WriteThroughJournal::Count(const CommittedPart& part) {
  const uint64_t size = part.changes.size();
  absl::MutexLock lock(&counters_mu_);
  counters_.commits += part.commits;
  switch (part.outcome.result) {
    case CommitResult::kCommitted:
      counters_.changes += size - part.outcome.moved.size();
      counters_.moved += part.outcome.moved.size();
      break;
    case CommitResult::kBadRow:
      counters_.refused += size;
      break;
    case CommitResult::kUnknown:
      counters_.unknown += size;
      break;
    case CommitResult::kFailed:
    case CommitResult::kFenced:
      counters_.failed += size;
      break;
  }
}

void WriteThroughJournal::Load(const ResourceKey& key, LoadDone done) {
  store_.Read(key, Awaited(store_.ShardOf(key), std::move(done)));
}

void WriteThroughJournal::Look(const ResourceKey& key, uint64_t known, LoadDone done) {
  store_.Look(key, known, Awaited(store_.ShardOf(key), std::move(done)));
}

void WriteThroughJournal::Find(const LocalTag& tag, FindDone done) {
  store_.Find(tag, Awaited(store_.ShardOf(tag), std::move(done)));
}

absl::Status WriteThroughJournal::LoadAll(absl::FunctionRef<void(ResourceRows)> visit) {
  return store_.ReadAll(visit);
}

WriteThroughJournal::Counters WriteThroughJournal::counters() const {
  absl::MutexLock lock(&counters_mu_);
  return counters_;
}

}  // namespace presence
