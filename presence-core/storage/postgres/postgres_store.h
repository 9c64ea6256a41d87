#ifndef PRESENCE_CORE_STORAGE_POSTGRES_POSTGRES_STORE_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_POSTGRES_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "presence-core/storage/postgres/database_options.h"
#include "presence-core/storage/postgres/lease_keeper.h"
#include "presence-core/storage/row_store.h"
#include "runtime/clock.h"

namespace presence {

class StallGuard;

// Rows in PostgreSQL (sql/ has the tables). Each lane is a thread with a connection of its own,
// opened when first needed and again after it was lost. What the lanes do for a shard they do in
// the order in which it was asked for.
//
// A commit is one transaction: the fence, then one statement a table that changed, deletions first.
// A read of one resource waits until no commit of its shard can still be under way, also none whose
// answer was lost with its connection: both take the shard's lease row, the commit in a mode that
// the read excludes. So what it finds is final.
//
// A server that has stopped talking is given up (stall_guard.h): then the outcome is unknown if it
// was asked to commit, and failed otherwise.
class PostgresStore final : public RowStore {
 public:
  // `on_claimed` is told of claims that were written, or may have been, on a thread of a lane; and
  // again when a read has shown how one ended whose outcome was unknown: it may have been written
  // after the others had looked.
  using OnClaimed = std::function<void(const std::vector<ResourceKey>&)>;
  PostgresStore(DatabaseOptions options, const Clock& clock, const LeaseKeeper::Lease& lease,
                OnClaimed on_claimed = nullptr);
  // Ends what is under way, within the time-outs of the options.
  ~PostgresStore() override;

  uint32_t shards() const override { return lease_.shards; }
  uint32_t lanes() const override;
  void Commit(uint32_t shard, const std::vector<RowChanges>& batch, CommitDone done) override;
  void Read(const ResourceKey& key, ReadDone done) override;
  void Look(const ResourceKey& key, uint64_t known, ReadDone done) override;
  void Find(const LocalTag& tag, FindDone done) override;
  absl::Status ReadAll(absl::FunctionRef<void(ResourceRows)> visit) override;

 private:
  class Lane;
  Lane& LaneOfShard(uint32_t shard);

  const DatabaseOptions options_;
  const Clock& clock_;
  const LeaseKeeper::Lease lease_;
  const OnClaimed on_claimed_;
  const std::unique_ptr<StallGuard> guard_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_POSTGRES_STORE_H_
