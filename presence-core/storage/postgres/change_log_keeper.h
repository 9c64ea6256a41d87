#ifndef PRESENCE_CORE_STORAGE_POSTGRES_CHANGE_LOG_KEEPER_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_CHANGE_LOG_KEEPER_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "presence-core/storage/postgres/database_options.h"
#include "presence-core/storage/postgres/stall_guard.h"
#include "runtime/clock.h"
#include "runtime/worker.h"

namespace presence {

// Looks after the partitions of the table change_log, from a thread and on connections of its own:
// makes those of the coming days, and drops those that are older than
// DatabaseOptions::history_retention. Commits never wait for it (sql/ says how), and need not: a
// day without a partition goes with the rest. Any number of processes may do this in one database.
class ChangeLogKeeper {
 public:
  // What went wrong, for the log; called on a thread of the keeper's, once until it has gone well.
  using OnTrouble = std::function<void(const absl::Status&)>;

  // Does nothing where the retention is zero.
  ChangeLogKeeper(const DatabaseOptions& options, const Clock& clock, OnTrouble on_trouble);
  // Ends what is under way, within the time-outs of the options.
  ~ChangeLogKeeper() = default;
  ChangeLogKeeper(const ChangeLogKeeper&) = delete;
  ChangeLogKeeper& operator=(const ChangeLogKeeper&) = delete;

  // What is done from time to time, once. Blocks. Errors: STORAGE_UNAVAILABLE   also while
  // somebody reads what is to be dropped.
  static absl::Status KeepOnce(const DatabaseOptions& options, StallGuard& guard);

 private:
  void Keep();

  const DatabaseOptions options_;
  const Clock& clock_;
  const OnTrouble on_trouble_;
  bool is_troubled_ = false;
  StallGuard guard_;
  Worker worker_;  // last: its tasks use the rest
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_CHANGE_LOG_KEEPER_H_
