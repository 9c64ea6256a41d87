#ifndef PRESENCE_CORE_STORAGE_WRITE_THROUGH_WRITE_THROUGH_JOURNAL_H_
#define PRESENCE_CORE_STORAGE_WRITE_THROUGH_WRITE_THROUGH_JOURNAL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "presence-core/storage/halving_commit.h"
#include "presence-core/storage/journal.h"
#include "presence-core/storage/row_store.h"

namespace presence {

// The storage mode `write-through`: a change is durable once the database has committed it. What is
// appended while a commit of its lane is under way goes together into the next one (group commit),
// so a disk that takes a millisecond costs a millisecond, not a thousand commits a second.
//
// A row that the database refuses fails alone: its batch is halved until it is found. A database
// that fails, fails every change that it was asked to commit, at once; nothing waits for it to come
// back.
class WriteThroughJournal final : public Journal {
 public:
  struct Options {
    // Others write to the same database: `db-only`.
    bool is_shared = false;
    // Changes of resources in one commit.
    size_t max_batch = 512;
    // Called when another process owns a shard, on any thread, more than once.
    absl::AnyInvocable<void() const> on_fenced = [] {};
  };
  struct Counters {
    uint64_t commits = 0;
    uint64_t changes = 0;        // committed
    uint64_t refused = 0;        // rejected: the row was bad
    uint64_t failed = 0;         // rejected: the database was not there
    uint64_t unknown = 0;        // the answer to a commit was lost
    uint64_t moved = 0;          // another process was faster
    uint64_t largest_batch = 0;  // since the start
  };

  // To be destroyed after Drain(), with nothing appended any more.
  WriteThroughJournal(RowStore& store, Options options);

  Acceptance Append(const RowChanges& changes, AppendDone done) override;
  bool is_shared() const override { return options_.is_shared; }
  void Load(const ResourceKey& key, LoadDone done) override;
  void Look(const ResourceKey& key, uint64_t known, LoadDone done) override;
  void Find(const LocalTag& tag, FindDone done) override;
  absl::Status LoadAll(absl::FunctionRef<void(ResourceRows)> visit) override;

  // Returns when everything that was asked for so far, and everything that an answer to it asks
  // for, has ended and been answered. Blocks.
  void Drain();

  Counters counters() const;

 private:
  // Changes of one shard that wait for, or are in, a commit; each with who waits for it.
  struct Flight {
    uint32_t shard = 0;
    std::vector<RowChanges> batch;
    std::vector<AppendDone> done;
  };
  struct Lane {
    absl::Mutex mu;  // a leaf but for those of the store; after a stripe's
    // By age; more than one of a shard only when others are full.
    std::deque<Flight> waiting ABSL_GUARDED_BY(mu);
    bool is_committing ABSL_GUARDED_BY(mu) = false;
    int answering ABSL_GUARDED_BY(mu) = 0;

    bool IsIdle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
      return waiting.empty() && !is_committing && answering == 0;
    }
  };

  // `done`, which Drain() waits for.
  template <typename T>
  absl::AnyInvocable<void(absl::StatusOr<T>)> Awaited(
      uint32_t shard, absl::AnyInvocable<void(absl::StatusOr<T>)> done);
  void CommitNext(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lane.mu);
  void OnCommitted(Lane& lane, std::vector<AppendDone>& waiting, const CommittedPart& part);
  void Count(const CommittedPart& part);

  RowStore& store_;
  const Options options_;
  std::vector<std::unique_ptr<Lane>> lanes_;

  mutable absl::Mutex counters_mu_;  // a leaf
  Counters counters_ ABSL_GUARDED_BY(counters_mu_);
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_WRITE_THROUGH_WRITE_THROUGH_JOURNAL_H_
