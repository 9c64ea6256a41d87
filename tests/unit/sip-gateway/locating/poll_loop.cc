#include "tests/unit/sip-gateway/locating/poll_loop.h"

#include <poll.h>

#include <chrono>
#include <utility>
#include <vector>

namespace presence::sip {

void PollLoop::Watch(int fd, Readiness wanted, absl::AnyInvocable<void(Readiness)> on_ready) {
  watches_[fd] = std::make_shared<Watching>(Watching{wanted, std::move(on_ready)});
}

void PollLoop::Forget(int fd) { watches_.erase(fd); }

WatcherAlarm PollLoop::SetAlarm(absl::Time when, Task ring) {
  alarms_.emplace(++last_alarm_, Alarm{when, std::move(ring)});
  return last_alarm_;
}

void PollLoop::CancelAlarm(WatcherAlarm alarm) { alarms_.erase(alarm); }

bool PollLoop::RingAlarms() {
  std::vector<WatcherAlarm> due;
  for (const auto& [id, alarm] : alarms_) {
    if (alarm.when <= clock_.Now()) due.push_back(id);
  }
  for (const WatcherAlarm id : due) {
    auto node = alarms_.extract(id);  // an alarm before may have cancelled this one
    if (!node.empty()) node.mapped().ring();
  }
  return !due.empty();
}

bool PollLoop::RunOnce(int wait_milliseconds) {
  const bool has_rung = RingAlarms();
  std::vector<pollfd> polled;
  std::vector<std::weak_ptr<Watching>> watching;
  for (const auto& [fd, watch] : watches_) {
    const int events = (watch->wanted.read ? POLLIN : 0) | (watch->wanted.write ? POLLOUT : 0);
    polled.push_back({fd, static_cast<short>(events), 0});
    watching.push_back(watch);
  }
  if (poll(polled.data(), polled.size(), has_rung ? 0 : wait_milliseconds) <= 0) return has_rung;
  for (size_t i = 0; i < polled.size(); ++i) {
    // A callback before this one may have ended the watch; the pointer keeps one that ends itself
    // alive.
    const std::shared_ptr<Watching> watch = watching[i].lock();
    const short events = polled[i].revents;
    if (watch == nullptr || events == 0) continue;
    const bool is_broken = (events & (POLLERR | POLLHUP)) != 0;
    watch->on_ready({watch->wanted.read && ((events & POLLIN) || is_broken),
                     watch->wanted.write && ((events & POLLOUT) || is_broken)});
  }
  return true;
}

bool PollLoop::RunUntil(const std::function<bool()>& is_done) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!is_done()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    RunOnce(/*wait_milliseconds=*/5);
  }
  return true;
}

void PollLoop::RunUntilIdle() {
  while (RunOnce(/*wait_milliseconds=*/0)) {
  }
}

}  // namespace presence::sip
