#include "presence-core/storage/halving_commit.h"

#include <deque>
#include <iterator>
#include <memory>
#include <utility>

namespace presence {
namespace {

struct Part {
  size_t first = 0;
  std::vector<RowChanges> changes;
};

// Goes from callback to callback until no part is left.
struct Halving {
  RowStore& store;
  const uint32_t shard;
  const SmallestPart smallest;
  PartDone done;
  Part current;
  std::deque<Part> waiting;
  uint64_t commits = 0;
};

bool CanBeHalved(const Part& part, SmallestPart smallest) {
  return part.changes.size() > 1 ||
         (smallest == SmallestPart::kRow && part.changes.front().size() > 1);
}

template <typename Rows>
void TakeRows(Rows& from, bool deletions, size_t& left, Rows& first, Rows& second) {
  for (auto& row : from) {
    if ((row.second == nullptr) != deletions) continue;
    (left > 0 ? first : second).push_back(row);
    if (left > 0) --left;
  }
}

// Deletions come first, as in one commit: an entity-tag may move from a row to another.
std::pair<RowChanges, RowChanges> HalveRows(RowChanges changes) {
  RowChanges first;
  RowChanges second;
  first.key = second.key = changes.key;
  size_t left = changes.size() / 2;
  for (const bool deletions : {true, false}) {
    TakeRows(changes.publications, deletions, left, first.publications, second.publications);
    TakeRows(changes.subscriptions, deletions, left, first.subscriptions, second.subscriptions);
    TakeRows(changes.watchers, deletions, left, first.watchers, second.watchers);
    TakeRows(changes.answers, deletions, left, first.answers, second.answers);
    TakeRows(changes.documents, deletions, left, first.documents, second.documents);
  }
  second.resource = std::move(changes.resource);
  return {std::move(first), std::move(second)};
}

void Halve(Halving& halving) {
  Part part = std::move(halving.current);
  Part second;
  if (part.changes.size() > 1) {
    const auto middle = static_cast<std::ptrdiff_t>(part.changes.size() / 2);
    second.first = part.first + static_cast<size_t>(middle);
    std::move(part.changes.begin() + middle, part.changes.end(),
              std::back_inserter(second.changes));
    part.changes.resize(static_cast<size_t>(middle));
  } else {
    auto [one, other] = HalveRows(std::move(part.changes.front()));
    second.first = part.first;
    part.changes.front() = std::move(one);
    second.changes.push_back(std::move(other));
  }
  halving.waiting.push_front(std::move(second));
  halving.waiting.push_front(std::move(part));
}

void CommitNext(std::unique_ptr<Halving> owned);

void OnCommitted(std::unique_ptr<Halving> owned, CommitOutcome outcome) {
  Halving& halving = *owned;
  ++halving.commits;
  if (outcome.result == CommitResult::kBadRow && CanBeHalved(halving.current, halving.smallest)) {
    Halve(halving);
    return CommitNext(std::move(owned));
  }
  CommittedPart part;
  part.first = halving.current.first;
  part.changes = std::move(halving.current.changes);
  part.outcome = std::move(outcome);
  part.commits = std::exchange(halving.commits, 0);
  part.is_last = halving.waiting.empty();
  halving.done(std::move(part));
  if (!halving.waiting.empty()) CommitNext(std::move(owned));
}

void CommitNext(std::unique_ptr<Halving> owned) {
  Halving& halving = *owned;  // lives in the callback from now on
  halving.current = std::move(halving.waiting.front());
  halving.waiting.pop_front();
  halving.store.Commit(halving.shard, halving.current.changes,
                       [owned = std::move(owned)](CommitOutcome outcome) mutable {
                         OnCommitted(std::move(owned), std::move(outcome));
                       });
}

}  // namespace

void CommitInHalves(RowStore& store, uint32_t shard, std::vector<RowChanges> batch,
                    SmallestPart smallest, PartDone done) {
  auto halving =
      std::unique_ptr<Halving>(new Halving{store, shard, smallest, std::move(done), {}, {}});
  halving->waiting.push_back({0, std::move(batch)});
  CommitNext(std::move(halving));
}

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

}  // namespace presence
