#ifndef PRESENCE_CORE_STORAGE_POSTGRES_LEASE_KEEPER_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_LEASE_KEEPER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "presence-core/storage/postgres/database_options.h"
#include "runtime/clock.h"

namespace presence {

// Ownership of the shards of a database by one process.
//
// A lease is a row with an epoch and a deadline by the database's clock. Taking it raises the
// epoch, and no commit of an older epoch gets through any more (RowStore kFenced): that alone keeps
// two owners apart. The deadline is for waiting ones, who may take a lease only when it has passed.
// An owner that cannot reach the database goes on with what it has, and renews a lease that is over
// as long as nobody has taken it; what it tells until it knows may be older than what the next
// owner tells.
//
// All methods from one thread; `on_lost` is called on a thread of the keeper's.
class LeaseKeeper {
 public:
  struct Options {
    DatabaseOptions database;
    // A process that comes back under the same name takes its own lease at once.
    std::string node;
    // Where others reach this process.
    std::string address;
    absl::Duration lifetime = absl::Seconds(4);
    absl::Duration renewal = absl::Seconds(1);
    // The lease was taken away; `why` is for the log. Called once.
    std::function<void(std::string why)> on_lost;
  };
  // What Take() got, or who has it.
  struct Lease {
    bool is_ours = false;
    uint32_t shards = 0;
    uint64_t epoch = 0;
    // How far the database's clock is ahead of this process's.
    absl::Duration database_ahead;
    std::string owner;    // node
    std::string address;  // of the owner
    absl::Duration remaining;
  };

  LeaseKeeper(Options options, const Clock& clock);
  // Stops renewing; the lease stays until its deadline unless Release() was called.
  ~LeaseKeeper();

  // Takes all shards, or none if a living process has one of them; from then on renews. Blocks.
  // Errors: STORAGE_UNAVAILABLE.
  absl::StatusOr<Lease> Take();

  // Gives the shards back, so that a waiting process need not wait for the deadline.
  void Release();

 private:
  class Renewal;
  const Options options_;
  const Clock& clock_;
  uint64_t epoch_ = 0;
  std::unique_ptr<Renewal> renewal_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_LEASE_KEEPER_H_
