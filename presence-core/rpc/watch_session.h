#ifndef PRESENCE_CORE_RPC_WATCH_SESSION_H_
#define PRESENCE_CORE_RPC_WATCH_SESSION_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "presence-core/engine/engine.h"
#include "presence-core/rpc/convert.h"
#include "presence/v1/presence.pb.h"
#include "runtime/clock.h"

namespace presence {

// One Watch stream: a native watcher of one or more targets. Each target is a subscription of the
// engine whose NOTIFYs come here, so authorization, winfo and "the newest state wins" are those of
// every watcher. At most one state of a target is on its way; the queue never holds more than a few
// items a target.
//
// The state machine alone: no gRPC, no thread. Thread-safe.
class WatchSession final : public WatcherLink, public std::enable_shared_from_this<WatchSession> {
 public:
  static constexpr size_t kMostTargets = 256;

  // `wake` is called, from any thread and without locks, when Take has something to give or the
  // session has ended. More than `max_queue` items that nobody takes end it with OVERLOADED.
  static std::shared_ptr<WatchSession> Create(Engine& engine, const Clock& clock, std::string name,
                                              size_t max_queue, std::function<void()> wake);
  ~WatchSession() override;

  // Subscribes to the targets. Errors: those of Watch that concern the request; what a single
  // target is refused with ends the session (`ended`).
  absl::Status Start(const v1::WatchRequest& request);

  // The next item to write; false when there is none. Items are written one after the other.
  bool Take(v1::WatchResponse& item);
  // The item taken last has been written.
  void OnWritten();

  // Adds a heartbeat if nothing was written for the interval asked for.
  void OnHeartbeatDue();
  absl::Duration heartbeat() const { return heartbeat_; }
  // How long the item taken last has been waiting to be written.
  absl::Duration stalled_for() const;

  // Why the session is over; nothing while it goes on. Items queued before that are still to be
  // written.
  std::optional<absl::Status> ended() const;
  bool has_items() const;
  // The stream has gone: its subscriptions go too.
  void Close();

  // Called by the notifier; any thread.
  void Deliver(std::vector<Instruction> instructions) override;

 private:
  struct Target {
    std::string presentity;
    std::string event;
    std::optional<LocalTag> id;
    SubscriptionState state = SubscriptionState::kActive;
    bool is_told = false;  // its snapshot has been queued, or it needs none
  };
  struct Item {
    v1::WatchResponse response;
    size_t target = 0;
    std::optional<Revision> revision;    // known once this is written
    std::optional<NotifyReport> report;  // due to the engine once this is written
  };

  WatchSession(Engine& engine, const Clock& clock, std::string name, size_t max_queue,
               std::function<void()> wake);

  void OnSubscribed(size_t target, const absl::StatusOr<WatchOutcome>& outcome);
  void OnRefused(size_t target, const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnInstruction(const Instruction& instruction) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void QueueStatus(size_t target, SubscriptionState state, TerminationReason reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void MarkTold(size_t target) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Engine& engine_;
  const Clock& clock_;
  const Converter convert_;
  const std::string name_;
  const size_t max_queue_;
  const std::function<void()> wake_;
  absl::Duration heartbeat_ = absl::Seconds(15);
  std::string identity_;

  mutable absl::Mutex mu_;  // a leaf
  Engine::LinkId link_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<Target> targets_ ABSL_GUARDED_BY(mu_);
  std::vector<Revision> known_ ABSL_GUARDED_BY(mu_);
  size_t untold_ ABSL_GUARDED_BY(mu_) = 0;
  std::deque<Item> items_ ABSL_GUARDED_BY(mu_);
  std::optional<Item> writing_ ABSL_GUARDED_BY(mu_);
  absl::Time last_write_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::Status> ended_ ABSL_GUARDED_BY(mu_);
  bool is_closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_WATCH_SESSION_H_
