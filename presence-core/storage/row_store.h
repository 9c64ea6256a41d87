#ifndef PRESENCE_CORE_STORAGE_ROW_STORE_H_
#define PRESENCE_CORE_STORAGE_ROW_STORE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence-core/storage/row_changes.h"

namespace presence {

// A database as the journals see it: it commits batches and reads rows back. The journals decide
// what goes into a batch and when; a store knows the database, and nothing of the modes.
//
// Every resource belongs to a shard, and a batch is of one shard, so that one day each shard may
// live in a database of its own.

// How a commit ended. Only kCommitted says that the rows are there, and only kUnknown leaves it
// open; after all others they are surely not there.
enum class CommitResult {
  kCommitted,
  kBadRow,   // the database refuses something in the batch: a smaller batch may pass
  kFailed,   // nothing is wrong with the rows; the same batch may pass later
  kFenced,   // another process owns the shard now: this one must stop
  kUnknown,  // the connection was lost while the commit was on its way
};

struct CommitOutcome {
  CommitResult result = CommitResult::kCommitted;
  // Why, unless committed: STORAGE_UNAVAILABLE.
  absl::Status status = absl::OkStatus();
  // Where in the batch claims stood that came too late: of these nothing was written.
  std::vector<size_t> moved = {};
};

// Safe to call from any thread. Implementations pass tests/conformance/row_store_suite.h.
class RowStore {
 public:
  using CommitDone = absl::AnyInvocable<void(CommitOutcome)>;
  // Nothing when there is no row of the resource.
  using ReadDone = absl::AnyInvocable<void(absl::StatusOr<std::optional<ResourceRows>>)>;

  virtual ~RowStore() = default;

  // Fixed for the life of a database.
  virtual uint32_t shards() const = 0;
  // Commits that can be under way at once. A shard always goes through the same lane.
  virtual uint32_t lanes() const = 0;

  // Makes `batch` durable as a whole: changes of different resources, all of `shard`. Never blocks,
  // never calls `done` inline; calls it once, on any thread. `batch` must live until then, and a
  // key appears in it once. What is asked of a lane meanwhile waits.
  virtual void Commit(uint32_t shard, const std::vector<RowChanges>& batch, CommitDone done) = 0;

  // Reads what is committed of one resource, after every commit of its shard asked for earlier has
  // ended, also one whose outcome was unknown: what is read stays true until the next commit. Never
  // blocks, never calls `done` inline. Errors: STORAGE_UNAVAILABLE.
  virtual void Read(const ResourceKey& key, ReadDone done) = 0;

  // Reads what is committed of one resource by now, all of it at one moment; only the row of the
  // resource itself where it is still of version `known`. Unlike Read it waits for nobody. Never
  // blocks, never calls `done` inline. Errors: STORAGE_UNAVAILABLE.
  virtual void Look(const ResourceKey& key, uint64_t known, ReadDone done) = 0;

  // The resource that has a subscription of this tag by now, if any. Waits for nobody, never
  // blocks, never calls `done` inline. Errors: STORAGE_UNAVAILABLE.
  using FindDone = absl::AnyInvocable<void(absl::StatusOr<std::optional<ResourceKey>>)>;
  virtual void Find(const LocalTag& tag, FindDone done) = 0;

  // Calls `visit` for every resource, in any order, before it returns. Blocks. Where an earlier
  // owner may have shown watchers what it never stored, no row that it wrote has a settled_seq.
  // Errors: STORAGE_UNAVAILABLE   some may have been visited.
  virtual absl::Status ReadAll(absl::FunctionRef<void(ResourceRows)> visit) = 0;

  uint32_t ShardOf(const ResourceKey& key) const { return key.StableHash() % shards(); }
  uint32_t ShardOf(const LocalTag& tag) const { return tag.resource_hash() % shards(); }
  uint32_t LaneOf(uint32_t shard) const { return shard % lanes(); }
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_ROW_STORE_H_
