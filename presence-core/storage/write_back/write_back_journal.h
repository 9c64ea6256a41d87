#ifndef PRESENCE_CORE_STORAGE_WRITE_BACK_WRITE_BACK_JOURNAL_H_
#define PRESENCE_CORE_STORAGE_WRITE_BACK_WRITE_BACK_JOURNAL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "presence-core/storage/journal.h"
#include "presence-core/storage/row_store.h"
#include "presence-core/storage/write_back/backlog.h"
#include "presence-core/storage/write_back/shard_writer.h"
#include "runtime/clock.h"
#include "runtime/executor.h"

namespace presence {

// The storage mode `write-back`: a change is durable at once, in memory, and its rows are dirty
// until the next flush. The newest row of each key is what is written, so a resource that changes a
// hundred times between two flushes costs the database one row. A crash loses what is younger than
// a flush interval (and than the time the database was away), never a part of a change.
//
// These changes wait for the database: one that raises a cseq_limit, for no CSeq may be used twice
// whatever is lost; one of a kind of state that is to be stored first; every one while too much is
// dirty, so that a database that is slow or away bounds the memory instead of filling it; and every
// one while another process may own the state. A row that the database refuses is dropped alone.
//
// With the kinds in its options this journal is also every pair of modes: a kind in memory is not
// kept, a kind in write-through is stored first. A change that touches two kinds is one change, and
// waits if either does.
//
// Load writes what is dirty of the resource and reads it back. LoadAll is for the start, before
// anything was appended; rows of kinds that were kept in an earlier life and are not any more it
// deletes, so that they never come back.
class WriteBackJournal final : public Journal {
 public:
  using Options = WriteBackOptions;
  struct Counters {
    uint64_t dirty_rows = 0;  // now
    uint64_t dirty_bytes = 0;
    absl::Duration oldest;      // how long the oldest of them has waited
    uint64_t commits = 0;       // tried
    uint64_t written = 0;       // rows
    uint64_t coalesced = 0;     // rows that took the place of a dirty one
    uint64_t failed = 0;        // commits; their rows are tried again
    uint64_t refused = 0;       // rows dropped: the database does not take them
    uint64_t stored_first = 0;  // appends that had to, whatever was dirty
    uint64_t fallbacks = 0;     // appends that waited because nothing more may be promised
  };
  using Drained = absl::AnyInvocable<void(uint64_t rows_left)>;

  // To be destroyed when `executor` runs nothing more, nothing is appended any more, and then
  // AwaitIdle() has returned.
  WriteBackJournal(RowStore& store, Executor& executor, const Clock& clock, Options options);

  StateKinds kept() const override { return options_.kept; }
  Acceptance Append(const RowChanges& changes, AppendDone done) override;
  void Load(const ResourceKey& key, LoadDone done) override;
  absl::Status LoadAll(absl::FunctionRef<void(ResourceRows)> visit) override;

  // For a clean stop: writes everything without waiting for the interval, and tries again what
  // fails, until nothing is left or it is `deadline`. Then calls `done` once, on any thread, never
  // inline, with the rows that could not be written. One at a time.
  void Drain(absl::Time deadline, Drained done);

  // Returns when no commit is under way and everybody was told. Blocks; not from a callback.
  void AwaitIdle();

  Counters counters() const;

 private:
  void Tick();
  void FlushAll(absl::Time due);
  void EndDrain();

  RowStore& store_;
  Executor& executor_;
  const Clock& clock_;
  const Options options_;
  const absl::Duration tick_;
  Backlog backlog_;
  std::vector<std::unique_ptr<ShardWriter>> shards_;

  struct Draining {
    absl::Time deadline;
    Drained done;
  };
  absl::Mutex mu_;  // a leaf
  std::optional<Draining> draining_ ABSL_GUARDED_BY(mu_);
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_WRITE_BACK_WRITE_BACK_JOURNAL_H_
