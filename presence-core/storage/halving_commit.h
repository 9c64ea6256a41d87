#ifndef PRESENCE_CORE_STORAGE_HALVING_COMMIT_H_
#define PRESENCE_CORE_STORAGE_HALVING_COMMIT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "presence-core/storage/journal.h"
#include "presence-core/storage/row_changes.h"
#include "presence-core/storage/row_store.h"

namespace presence {

// What the callers of the appends in a commit are told.
AppendOutcome OutcomeFor(const CommitOutcome& outcome);

// Commits one batch so that what the database refuses in it fails alone: a refused batch is halved
// until the guilty one stands by itself, and its neighbours are committed.

// What is not halved any further.
enum class SmallestPart {
  kChange,  // the changes of one resource: committed together or not at all
  kRow,     // one row: for one resource whose changes were refused, where the others count more
};

// How a part of the batch ended. kBadRow is only said of a smallest part.
struct CommittedPart {
  // Where in the batch it began; of kRow, several parts have the same.
  size_t first = 0;
  std::vector<RowChanges> changes;
  CommitOutcome outcome;
  // Commits this took, those that were refused before it included.
  uint64_t commits = 0;
  bool is_last = false;
};
using PartDone = absl::AnyInvocable<void(CommittedPart)>;

// `batch` is of `shard` and not empty. Calls `done` for each part, one after the other in their
// order, never inline, on the threads of the store. One commit is under way at a time; a part that
// fails does not keep the others from being tried.
void CommitInHalves(RowStore& store, uint32_t shard, std::vector<RowChanges> batch,
                    SmallestPart smallest, PartDone done);

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_HALVING_COMMIT_H_
