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
// two owners apart in the database. The deadline is for those who wait, who may take a lease only
// when it has passed; they say in the table `node` that they are there.
//
// What an owner tells without a commit - to readers and to watchers - it may tell while it is sure
// that nobody else owns the state (IsSure):
//   - until shortly before the end of a lease that it took or renewed;
//   - beyond that, if nobody waited for the lease when it was last renewed: then the database is
//     away from everybody, and one that is alone goes on with what it has;
//   - but not when this process itself has stood still (SIGSTOP, a machine put to sleep) for as
//     long as a lease: whatever happened meanwhile, the next renewal tells.
// It renews a lease that is over as long as nobody has taken it.
//
// A *shared* lease belongs to all processes that have taken it so: they keep its epoch among them,
// renew it together, and each says in `node` that it serves. One that wants it for itself waits
// until the last has gone; of the others only those hear of a shared one who want it alone. What a
// process of them tells without a commit it tells while the others take it to be alive.
//
// All methods but IsSure() from one thread; the callbacks come on a thread of the keeper's.
class LeaseKeeper {
 public:
  struct Options {
    DatabaseOptions database;
    // A process that comes back under the same name takes its own lease at once.
    std::string node;
    // Where others reach this process, as far as it is known yet.
    std::string address;
    // Watchers are shown more than is stored (write-back): what they know is void when this
    // process ends without Release.
    bool is_ahead = false;
    // Others may take it as well.
    bool is_shared = false;
    absl::Duration lifetime = absl::Seconds(4);
    absl::Duration renewal = absl::Seconds(1);
    // An owner stops this long before others may begin.
    absl::Duration margin = absl::Seconds(1);
    // The lease was taken away; `why` is for the log. Called once.
    std::function<void(std::string why)> on_lost;
    // Another process that shares it has fallen silent: it may have died before it said what it had
    // changed.
    std::function<void()> on_silence = [] {};
  };
  // What Take() got, or who has it.
  struct Lease {
    bool is_ours = false;
    uint32_t shards = 0;
    uint64_t epoch = 0;
    // How far the database's clock is ahead of this process's.
    absl::Duration database_ahead;
    // A settled_seq that was written in an earlier epoch says nothing.
    uint64_t settled_since = 0;
    std::string owner;    // node
    std::string address;  // of the owner
    absl::Duration remaining;
  };

  LeaseKeeper(Options options, const Clock& clock);
  // Stops renewing; the lease stays until its deadline unless Release() was called.
  ~LeaseKeeper();

  // Takes all shards, or none if a living process has one of them, and is noted as one who waits;
  // from then on renews. Blocks.
  // Errors: STORAGE_UNAVAILABLE.
  absl::StatusOr<Lease> Take();

  // Where others reach this process; they learn it with the next renewal.
  void Announce(std::string address);

  // Whether no other process can be the owner. False before Take(). Safe to call from any thread,
  // cheap.
  bool IsSure() const;

  // Gives the shards back, so that a waiting process need not wait for the deadline.
  // `is_all_stored`: nothing that watchers were shown is missing in the database.
  void Release(bool is_all_stored = true);

 private:
  class Renewal;
  struct Session;
  const Options options_;
  const Clock& clock_;
  uint64_t epoch_ = 0;
  std::unique_ptr<Session> waiting_;  // kept from one Take() to the next
  std::unique_ptr<Renewal> renewal_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_LEASE_KEEPER_H_
