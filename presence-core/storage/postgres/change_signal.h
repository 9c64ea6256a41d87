#ifndef PRESENCE_CORE_STORAGE_POSTGRES_CHANGE_SIGNAL_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_CHANGE_SIGNAL_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "presence-core/model/resource_key.h"
#include "presence-core/storage/postgres/database_options.h"
#include "presence-core/storage/postgres/stall_guard.h"
#include "presence-core/storage/shared_changes.h"
#include "runtime/clock.h"
#include "runtime/worker.h"

namespace presence {

// Tells the other processes of a shared database which resources this one has changed, and hears
// the same of them, through NOTIFY and LISTEN.
//
// It wakes and promises nothing: names are sent after the commit, on a connection of its own, what
// came within a few milliseconds together, for a NOTIFY inside of a transaction has all commits of
// the database wait for each other. A process that dies in between has said nothing. So whoever may
// have missed something is told to look at everything: when it begins to listen, and each time
// after a connection was lost; and LeaseKeeper says when another process has fallen silent.
class ChangeSignal {
 public:
  struct Listener {
    // Others have changed these.
    std::function<void(const std::vector<ResourceKey>&)> on_changed;
    // Others may have changed anything.
    std::function<void()> on_gap;
  };

  // `node` is the name that others know this process by.
  ChangeSignal(DatabaseOptions options, std::string node, const Clock& clock);
  ~ChangeSignal();

  // This process has changed these. From any thread.
  void Send(const std::vector<ResourceKey>& keys);

  // Listens until Stop(), and tells the others to look at everything: an earlier life of this
  // process may have died before it said what it had changed, and nobody has missed it if it came
  // back at once. The listener is called on a thread of its own, one call at a time, and
  // on_gap before anything else.
  void Listen(Listener listener);
  void SayGap() { has_gap_ = true; }
  // No call of the listener runs any more when this returns.
  void StopListening();
  // Sends what is unsent, if there is a connection, and no more.
  void Stop();

 private:
  void FlushAfter(absl::Duration pause);
  void Flush();
  void Hear();
  void HearOnce();
  void Take(const std::string& payload);

  const DatabaseOptions options_;
  const std::string node_;
  const Clock& clock_;
  StallGuard guard_;

  ChangesToSay unsaid_;
  std::unique_ptr<pqxx::connection> sender_;  // the worker's only

  Listener listener_;
  std::atomic<bool> has_gap_ = false;
  absl::Notification is_stopping_;
  std::vector<ResourceKey> heard_;  // the listening thread's only
  std::thread thread_;
  Worker worker_;  // last: its tasks use the rest
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_CHANGE_SIGNAL_H_
