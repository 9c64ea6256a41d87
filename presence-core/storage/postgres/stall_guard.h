#ifndef PRESENCE_CORE_STORAGE_POSTGRES_STALL_GUARD_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_STALL_GUARD_H_

#include <list>
#include <pqxx/pqxx>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "presence-core/storage/postgres/database_options.h"
#include "runtime/clock.h"
#include "runtime/worker.h"

namespace presence {

// Ends calls into a database that has stopped talking. A server that is stopped or hangs keeps its
// connections open, its own time-outs do not run, and libpq waits for ever. So what takes too long
// has its socket shut down: the call then fails as with any lost connection.
//
// Safe to use from any thread.
class StallGuard {
 public:
  StallGuard(const DatabaseOptions& options, const Clock& clock);
  StallGuard(const StallGuard&) = delete;
  StallGuard& operator=(const StallGuard&) = delete;

  // While it lives, what is done on the connection has to end in time: a few statements each of
  // which the server gives up after its statement_timeout.
  class Call {
   public:
    Call(StallGuard& guard, const pqxx::connection_base& connection);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    friend class StallGuard;
    StallGuard& guard_;
    // Our own name of the socket: libpq may close its own at any time, and the number be another's.
    const int socket_;
    const absl::Time deadline_;
    std::list<const Call*>::iterator place_;
  };

 private:
  void Look();

  const Clock& clock_;
  const absl::Duration patience_;
  const absl::Duration tick_;
  absl::Mutex mu_;                                     // a leaf
  std::list<const Call*> calls_ ABSL_GUARDED_BY(mu_);  // by age
  Worker worker_;                                      // last: its tasks use the rest
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_STALL_GUARD_H_
