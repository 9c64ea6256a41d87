#include "sip-gateway/transport/event_loop.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "sip-gateway/transport/event_loop_impl.h"

namespace presence::sip {
namespace {

// Completions of one turn. A socket is read once a turn, so this is about the number of sockets
// served before what they caused is sent; the rest waits for the next turn, which comes at once.
constexpr int kMaxHandlersPerTurn = 64;
// Nobody asked to be woken: any long time will do.
constexpr absl::Duration kLongWait = absl::Hours(1);

}  // namespace

EventLoop::EventLoop(const Clock& clock) : impl_(std::make_unique<Impl>(clock)) {}

EventLoop::~EventLoop() {
  for (auto& [fd, watched] : impl_->watched) {
    watched->is_active = false;
    watched->descriptor.release();  // the descriptor stays its owner's
  }
}

void EventLoop::Impl::Wake() {
  boost::asio::post(context, [this] {
    absl::MutexLock lock(&mu);
    is_waking = false;
  });
}

void EventLoop::Post(Task task) {
  {
    absl::MutexLock lock(&impl_->mu);
    impl_->posted.push_back(std::move(task));
    if (std::exchange(impl_->is_waking, true)) return;
  }
  impl_->Wake();
}

void EventLoop::PostAt(absl::Time when, Task task) {
  {
    absl::MutexLock lock(&impl_->mu);
    const bool is_next = impl_->later.empty() || when < impl_->later.begin()->first;
    impl_->later.emplace(when, std::move(task));
    if (!is_next || std::exchange(impl_->is_waking, true)) return;
  }
  impl_->Wake();
}

void EventLoop::Stop() {
  {
    absl::MutexLock lock(&impl_->mu);
    impl_->is_stopping = true;
    if (std::exchange(impl_->is_waking, true)) return;
  }
  impl_->Wake();
}

void EventLoop::AddTurnHook(TurnHook hook) { impl_->hooks.push_back(std::move(hook)); }

void EventLoop::Watch(int fd, Readiness interest, ReadyCallback ready) {
  Unwatch(fd);
  auto watched = std::make_shared<Impl::Watched>(impl_->context, fd);
  watched->interest = interest;
  watched->ready = std::move(ready);
  impl_->watched[fd] = watched;
  if (interest.is_readable) impl_->Wait(watched, false);
  if (interest.is_writable) impl_->Wait(watched, true);
}

void EventLoop::Unwatch(int fd) {
  const auto it = impl_->watched.find(fd);
  if (it == impl_->watched.end()) return;
  it->second->is_active = false;
  it->second->descriptor.release();
  impl_->watched.erase(it);
}

void EventLoop::Impl::Wait(const std::shared_ptr<Watched>& entry, bool for_write) {
  using boost::asio::posix::stream_descriptor;
  entry->descriptor.async_wait(
      for_write ? stream_descriptor::wait_write : stream_descriptor::wait_read,
      [this, entry, for_write](const boost::system::error_code& error) {
        if (!entry->is_active || error == boost::asio::error::operation_aborted) return;
        entry->ready(Readiness{.is_readable = !for_write, .is_writable = for_write});
        if (entry->is_active) Wait(entry, for_write);
      });
}

void EventLoop::Impl::RunPosted() {
  std::vector<Task> tasks;
  {
    absl::MutexLock lock(&mu);
    tasks.swap(posted);
    const absl::Time now = later.empty() ? absl::InfinitePast() : clock.Now();
    while (!later.empty() && later.begin()->first <= now) {
      tasks.push_back(std::move(later.begin()->second));
      later.erase(later.begin());
    }
  }
  for (Task& task : tasks) task();
}

absl::Duration EventLoop::Impl::LongestWait(absl::Duration max_wait) {
  absl::Time due = hooks_due;
  {
    absl::MutexLock lock(&mu);
    if (!posted.empty() || is_stopping) return absl::ZeroDuration();
    if (!later.empty()) due = std::min(due, later.begin()->first);
  }
  return std::clamp(std::min(due - clock.Now(), max_wait), absl::ZeroDuration(), kLongWait);
}

void EventLoop::RunOnce(absl::Duration max_wait) {
  const absl::Duration wait = impl_->LongestWait(max_wait);
  size_t handled = wait > absl::ZeroDuration()
                       ? impl_->context.run_one_for(absl::ToChronoNanoseconds(wait))
                       : impl_->context.poll_one();
  for (int i = 1; handled != 0 && i < kMaxHandlersPerTurn; ++i) {
    handled = impl_->context.poll_one();
  }
  impl_->RunPosted();
  const absl::Time now = impl_->clock.Now();
  impl_->hooks_due = absl::InfiniteFuture();
  for (TurnHook& hook : impl_->hooks) impl_->hooks_due = std::min(impl_->hooks_due, hook(now));
}

void EventLoop::Run() {
  for (;;) {
    {
      absl::MutexLock lock(&impl_->mu);
      if (impl_->is_stopping) break;
    }
    RunOnce(absl::InfiniteDuration());
  }
  impl_->RunPosted();
}

const Clock& EventLoop::clock() const { return impl_->clock; }

}  // namespace presence::sip
