#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_POLL_LOOP_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_POLL_LOOP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "runtime/clock.h"
#include "sip-gateway/locating/descriptor_watcher.h"

namespace presence::sip {

// A DescriptorWatcher on poll(2), run by the test itself. Alarms go by the given clock, so with a
// ManualClock they ring when the test says. Sockets of client and server share one loop: nothing in
// these tests needs a thread.
class PollLoop final : public DescriptorWatcher {
 public:
  explicit PollLoop(const Clock& clock) : clock_(clock) {}

  void Watch(int fd, Readiness wanted, absl::AnyInvocable<void(Readiness)> on_ready) override;
  void Forget(int fd) override;
  WatcherAlarm SetAlarm(absl::Time when, Task ring) override;
  void CancelAlarm(WatcherAlarm alarm) override;

  // Runs until `is_done`; false if that does not come about in 20 s of real time.
  [[nodiscard]] bool RunUntil(const std::function<bool()>& is_done);

  // Runs until no socket is ready and no alarm due. What one end sends over loopback is there for
  // the other when the call returns, so after this all that was on its way has arrived.
  void RunUntilIdle();

  size_t watched() const { return watches_.size(); }
  size_t alarms() const { return alarms_.size(); }

 private:
  struct Watching {
    Readiness wanted;
    absl::AnyInvocable<void(Readiness)> on_ready;
  };
  struct Alarm {
    absl::Time when;
    Task ring;
  };

  // Whether anything happened.
  bool RunOnce(int wait_milliseconds);
  bool RingAlarms();

  const Clock& clock_;
  std::map<int, std::shared_ptr<Watching>> watches_;
  std::map<WatcherAlarm, Alarm> alarms_;
  WatcherAlarm last_alarm_ = kNoWatcherAlarm;
};

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_LOCATING_POLL_LOOP_H_
