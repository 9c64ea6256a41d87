#include "sip-gateway/server/loop_watcher.h"

#include <utility>

namespace presence::sip {

LoopWatcher::LoopWatcher(EventLoop& loop) : loop_(loop) {}

LoopWatcher::~LoopWatcher() { alarms_->clear(); }

void LoopWatcher::Watch(int fd, Readiness wanted,
                        absl::AnyInvocable<void(Readiness ready)> on_ready) {
  loop_.Watch(fd, {.is_readable = wanted.read, .is_writable = wanted.write},
              [on_ready = std::move(on_ready)](EventLoop::Readiness ready) mutable {
                on_ready({.read = ready.is_readable, .write = ready.is_writable});
              });
}

void LoopWatcher::Forget(int fd) { loop_.Unwatch(fd); }

WatcherAlarm LoopWatcher::SetAlarm(absl::Time when, Task ring) {
  const WatcherAlarm alarm = ++last_alarm_;
  alarms_->emplace(alarm, std::move(ring));
  loop_.PostAt(when, [alarms = alarms_, alarm] {
    const auto it = alarms->find(alarm);
    if (it == alarms->end()) return;
    Task task = std::move(it->second);
    alarms->erase(it);
    task();
  });
  return alarm;
}

void LoopWatcher::CancelAlarm(WatcherAlarm alarm) { alarms_->erase(alarm); }

}  // namespace presence::sip
