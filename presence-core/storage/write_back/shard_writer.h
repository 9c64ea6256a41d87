#ifndef PRESENCE_CORE_STORAGE_WRITE_BACK_SHARD_WRITER_H_
#define PRESENCE_CORE_STORAGE_WRITE_BACK_SHARD_WRITER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "presence-core/storage/halving_commit.h"
#include "presence-core/storage/journal.h"
#include "presence-core/storage/row_store.h"
#include "presence-core/storage/write_back/backlog.h"
#include "presence-core/storage/write_back/dirty_rows.h"
#include "runtime/clock.h"
#include "runtime/executor.h"

namespace presence {

// Writes the dirty rows of one shard, one commit at a time. What is dirty of a resource is always
// committed together, so the database never holds a part of a change.
//
// clang-format off
//      promised ──due──> in the commit ──kCommitted──> forgotten
//         ^                   └─────────failed───────> promised again, under what came meanwhile
//         └── kDurableNow
//      waiting ──at once──> in the commit, on top of what is promised of its resource
// clang-format on
//
// A commit whose answer was lost may still be under way in the database. Nothing is written until a
// read, which waits for it, has succeeded: else an old row could come after its deletion.
//
// Safe to call from any thread.
class ShardWriter {
 public:
  // `on_idle` is called after each commit, without locks, on any thread.
  ShardWriter(RowStore& store, uint32_t shard, const WriteBackOptions& options, Executor& executor,
              const Clock& clock, Backlog& backlog, absl::AnyInvocable<void() const> on_idle);

  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  Journal::Acceptance Append(const RowChanges& changes, Journal::AppendDone done);
  void Load(const ResourceKey& key, Journal::LoadDone done);
  // Deletes, some time later, rows of kinds that are not kept any more.
  void Forget(RowChanges gone);

  // Writes what has been dirty since `due` or longer, and tries again what failed.
  void Flush(absl::Time due);

  // Returns when no commit is under way and everybody was told. Blocks.
  void AwaitIdle();

  // Since when the oldest promised row waits; InfiniteFuture when none does.
  absl::Time oldest() const;

 private:
  struct Entry;
  using ByAge = std::multimap<absl::Time, Entry*>;
  // A resource of which something is dirty, waits, or is in a commit.
  struct Entry {
    explicit Entry(ResourceKey key) : rows(std::move(key)) {}

    DirtyRows rows;  // promised, in no commit
    std::optional<ByAge::iterator> place;
    // At most one append waits, or one load.
    std::optional<RowChanges> append;
    Journal::AppendDone append_done;
    Journal::LoadDone load_done;
    bool is_in_commit = false;
  };
  // What a commit carries of one resource, besides the rows.
  struct Item {
    Entry* entry = nullptr;
    absl::Time since = absl::InfiniteFuture();
    DirtySize promised_size;
    // With an append: what else was promised, in case only that remains.
    bool has_append = false;
    std::optional<RowChanges> promised;
    Journal::AppendDone append_done;
    Journal::LoadDone load_done;
  };
  struct Refused {
    Item item;
    RowChanges rows;
  };
  // Called when the lock is gone.
  using Calls = std::vector<Task>;

  Entry& FindOrCreate(const ResourceKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetIfEmpty(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SetAge(Entry& entry, absl::Time since) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Promise(Entry& entry, RowChanges changes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool IsDue() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Starts the next commit, if there is anything to write and none is under way.
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CommitRefused() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CommitNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AwaitLostCommit() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Item TakeItem(Entry& entry, std::vector<RowChanges>& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  void OnPart(std::vector<Item>& items, CommittedPart part);
  void OnRowPart(Item& item, CommittedPart part);
  void OnLostCommitEnded(const absl::Status& status);

  void Settle(Item& item, RowChanges rows, const CommitOutcome& outcome, Calls& calls)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SettleRefused(Item& item, RowChanges rows, const CommitOutcome& outcome, Calls& calls)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Drop(const Entry& entry, const RowChanges& rows, const absl::Status& why, Calls& calls)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Makes `rows`, of which `promised` counts as backlog, dirty again under newer ones.
  void Restore(Entry& entry, absl::Time since, RowChanges rows, const DirtySize& promised)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AfterPart(const CommittedPart& part, const ResourceKey& key, Calls& calls)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool IsIdle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !is_busy_ && telling_ == 0; }
  // After the lock in which `telling_` was raised.
  void Tell(Calls& calls, bool is_last);
  // A database that is away makes nobody wait.
  void RejectWaiting(const absl::Status& status, Calls& calls) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  RowStore& store_;
  const uint32_t shard_;
  const WriteBackOptions& options_;
  Executor& executor_;
  const Clock& clock_;
  Backlog& backlog_;
  const absl::AnyInvocable<void() const> on_idle_;

  mutable absl::Mutex mu_;  // a leaf but for those of the store; after a stripe's
  absl::flat_hash_map<ResourceKey, std::unique_ptr<Entry>> entries_ ABSL_GUARDED_BY(mu_);
  ByAge by_age_ ABSL_GUARDED_BY(mu_);                // with promised rows, in no commit
  std::deque<Entry*> waiting_ ABSL_GUARDED_BY(mu_);  // with an append or a load
  std::deque<Refused> refused_ ABSL_GUARDED_BY(mu_);
  absl::Time due_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  // Something failed: what nobody waits for is left until the next Flush.
  bool is_paused_ ABSL_GUARDED_BY(mu_) = false;
  bool is_busy_ ABSL_GUARDED_BY(mu_) = false;
  int telling_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Time oldest_in_commit_ ABSL_GUARDED_BY(mu_) = absl::InfiniteFuture();
  // A resource of a commit whose answer was lost.
  std::optional<ResourceKey> lost_ ABSL_GUARDED_BY(mu_);
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_WRITE_BACK_SHARD_WRITER_H_
