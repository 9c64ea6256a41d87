#include "presence-core/storage/write_through/write_through_journal.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace presence {
namespace {

// What the caller of an append is told.
AppendOutcome OutcomeFor(const CommitOutcome& outcome) {
  switch (outcome.result) {
    case CommitResult::kCommitted:
      return {};
    case CommitResult::kUnknown:
      return {AppendResult::kUnknown, outcome.status};
    default:
      return {AppendResult::kRejected, outcome.status};
  }
}

}  // namespace

WriteThroughJournal::WriteThroughJournal(RowStore& store, Options options)
    : store_(store), options_(std::move(options)) {
  for (uint32_t i = 0; i < store_.lanes(); ++i) lanes_.push_back(std::make_unique<Lane>());
}

Journal::Acceptance WriteThroughJournal::Append(const RowChanges& changes, AppendDone done) {
  const uint32_t shard = store_.ShardOf(changes.key);
  Lane& lane = *lanes_[store_.LaneOf(shard)];
  absl::MutexLock lock(&lane.mu);
  const auto is_open = [&](const std::unique_ptr<Flight>& flight) {
    return flight->shard == shard && !flight->is_part && flight->batch.size() < options_.max_batch;
  };
  auto open = std::find_if(lane.waiting.begin(), lane.waiting.end(), is_open);
  if (open == lane.waiting.end()) {
    open = lane.waiting.insert(open, std::make_unique<Flight>());
    (*open)->shard = shard;
  }
  (*open)->batch.push_back(changes);
  (*open)->done.push_back(std::move(done));
  if (!lane.is_committing) CommitNext(lane);
  return Acceptance::kPending;
}

void WriteThroughJournal::CommitNext(Lane& lane) {
  if (lane.waiting.empty()) return;
  lane.is_committing = true;
  std::unique_ptr<Flight> flight = std::move(lane.waiting.front());
  lane.waiting.pop_front();
  const Flight& taken = *flight;  // lives in the callback from now on
  store_.Commit(taken.shard, taken.batch,
                [this, &lane, flight = std::move(flight)](const CommitOutcome& outcome) mutable {
                  OnCommitted(lane, std::move(flight), outcome);
                });
}

void WriteThroughJournal::OnCommitted(Lane& lane, std::unique_ptr<Flight> flight,
                                      const CommitOutcome& outcome) {
  const bool is_to_halve = outcome.result == CommitResult::kBadRow && flight->batch.size() > 1;
  {
    absl::MutexLock lock(&counters_mu_);
    const uint64_t size = flight->batch.size();
    ++counters_.commits;
    counters_.largest_batch = std::max(counters_.largest_batch, size);
    if (outcome.result == CommitResult::kCommitted) counters_.changes += size;
    if (outcome.result == CommitResult::kBadRow && !is_to_halve) counters_.refused += size;
    if (outcome.result == CommitResult::kUnknown) counters_.unknown += size;
    if (outcome.result == CommitResult::kFailed || outcome.result == CommitResult::kFenced) {
      counters_.failed += size;
    }
  }
  if (outcome.result == CommitResult::kFenced) options_.on_fenced();
  {
    absl::MutexLock lock(&lane.mu);
    lane.is_committing = false;
    if (is_to_halve) Halve(lane, *flight);
    ++lane.answering;
    // The disk need not wait for those who are told now.
    CommitNext(lane);
  }
  if (!is_to_halve) {
    for (AppendDone& done : flight->done) done(OutcomeFor(outcome));
  }
  absl::MutexLock lock(&lane.mu);
  --lane.answering;
}

void WriteThroughJournal::Drain() {
  // An answer appends to its own resource only, so a lane that is idle stays so.
  for (const auto& lane : lanes_) {
    absl::MutexLock lock(&lane->mu);
    lane->mu.Await(absl::Condition(lane.get(), &Lane::IsIdle));
  }
}

void WriteThroughJournal::Halve(Lane& lane, Flight& flight) {
  const auto middle = static_cast<std::ptrdiff_t>(flight.batch.size() / 2);
  auto second = std::make_unique<Flight>();
  second->shard = flight.shard;
  flight.is_part = second->is_part = true;
  std::move(flight.batch.begin() + middle, flight.batch.end(), std::back_inserter(second->batch));
  std::move(flight.done.begin() + middle, flight.done.end(), std::back_inserter(second->done));
  flight.batch.resize(static_cast<size_t>(middle));
  flight.done.resize(static_cast<size_t>(middle));
  lane.waiting.push_front(std::move(second));
  lane.waiting.push_front(std::make_unique<Flight>(std::move(flight)));
}

void WriteThroughJournal::Load(const ResourceKey& key, LoadDone done) {
  store_.Read(key, std::move(done));
}

absl::Status WriteThroughJournal::LoadAll(absl::FunctionRef<void(ResourceRows)> visit) {
  return store_.ReadAll(visit);
}

WriteThroughJournal::Counters WriteThroughJournal::counters() const {
  absl::MutexLock lock(&counters_mu_);
  return counters_;
}

}  // namespace presence
