#ifndef PRESENCE_SIP_GATEWAY_SERVER_LOOP_WATCHER_H_
#define PRESENCE_SIP_GATEWAY_SERVER_LOOP_WATCHER_H_

#include <memory>

#include "absl/container/flat_hash_map.h"
#include "sip-gateway/locating/descriptor_watcher.h"
#include "sip-gateway/transport/event_loop.h"

namespace presence::sip {

// Lets the DNS client live on the event loop. For the loop's thread; the loop outlives it.
class LoopWatcher final : public DescriptorWatcher {
 public:
  explicit LoopWatcher(EventLoop& loop);
  ~LoopWatcher() override;
  LoopWatcher(const LoopWatcher&) = delete;
  LoopWatcher& operator=(const LoopWatcher&) = delete;

  void Watch(int fd, Readiness wanted, absl::AnyInvocable<void(Readiness ready)> on_ready) override;
  void Forget(int fd) override;
  WatcherAlarm SetAlarm(absl::Time when, Task ring) override;
  void CancelAlarm(WatcherAlarm alarm) override;

 private:
  // The loop cannot take back what was posted to it: an alarm whose entry is gone does nothing.
  // Shared with those tasks, which may run after this object.
  using Alarms = absl::flat_hash_map<WatcherAlarm, Task>;

  EventLoop& loop_;
  const std::shared_ptr<Alarms> alarms_ = std::make_shared<Alarms>();
  WatcherAlarm last_alarm_ = kNoWatcherAlarm;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SERVER_LOOP_WATCHER_H_
