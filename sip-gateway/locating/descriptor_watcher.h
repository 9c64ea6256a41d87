#ifndef PRESENCE_SIP_GATEWAY_LOCATING_DESCRIPTOR_WATCHER_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_DESCRIPTOR_WATCHER_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "runtime/executor.h"

namespace presence::sip {

// For what a descriptor is watched, or what it is ready for.
struct Readiness {
  bool read = false;
  bool write = false;

  friend bool operator==(const Readiness&, const Readiness&) = default;
};

using WatcherAlarm = uint64_t;
inline constexpr WatcherAlarm kNoWatcherAlarm = 0;

// The part of an event loop that a DNS client needs; the loop of the process implements it. All
// calls come from the loop's thread, and all callbacks run on it, from the loop and never inside a
// call of this port.
class DescriptorWatcher {
 public:
  virtual ~DescriptorWatcher() = default;

  // From now on calls `on_ready` as often as `fd` is ready for what `wanted` names:
  // level-triggered, so again when the callback left data unread. An error or hang-up on `fd`
  // counts as ready for all wanted. A second call for the same `fd` replaces the first. `on_ready`
  // may Watch and Forget any descriptor, its own too, and may set alarms.
  virtual void Watch(int fd, Readiness wanted,
                     absl::AnyInvocable<void(Readiness ready)> on_ready) = 0;

  // Ends Watch, and no callback of it comes any more. Must let go of `fd` at once and leave it
  // open: its owner closes it right after, and the number may come back as another socket. An
  // unwatched `fd` is not an error.
  virtual void Forget(int fd) = 0;

  // Runs `ring` once, at `when` of the process's Clock or soon after.
  virtual WatcherAlarm SetAlarm(absl::Time when, Task ring) = 0;

  // After this the alarm does not ring. An unknown, rung or kNoWatcherAlarm id is not an error.
  virtual void CancelAlarm(WatcherAlarm alarm) = 0;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_DESCRIPTOR_WATCHER_H_
