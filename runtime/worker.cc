#include "runtime/worker.h"

#include <pthread.h>

#include <utility>

namespace presence {

Worker::Worker(const Clock& clock, std::string name)
    : clock_(clock), name_(std::move(name)), thread_([this] { Run(); }) {}

Worker::~Worker() { Stop(); }

void Worker::Stop() {
  {
    absl::MutexLock lock(&mu_);
    is_stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void Worker::Post(Task task) {
  absl::MutexLock lock(&mu_);
  ready_.push_back(std::move(task));
}

void Worker::PostAt(absl::Time when, Task task) {
  absl::MutexLock lock(&mu_);
  later_.emplace(when, std::move(task));
}

void Worker::Run() {
  pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
  std::deque<Task> batch;
  for (;;) {
    {
      absl::MutexLock lock(&mu_);
      const size_t known = later_.size();
      const absl::Time earliest = later_.empty() ? absl::InfiniteFuture() : later_.begin()->first;
      const absl::Duration wait =
          later_.empty() ? absl::InfiniteDuration() : earliest - clock_.Now();
      auto woken = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
        return !ready_.empty() || is_stopping_ || later_.size() != known;
      };
      mu_.AwaitWithTimeout(absl::Condition(&woken), wait);
      const absl::Time now = clock_.Now();
      // A task that posts itself again may be late each time, and would never let us end.
      while (!is_stopping_ && !later_.empty() && later_.begin()->first <= now) {
        ready_.push_back(std::move(later_.begin()->second));
        later_.erase(later_.begin());
      }
      if (ready_.empty() && is_stopping_) return;
      batch.swap(ready_);
    }
    for (Task& task : batch) task();
    batch.clear();
  }
}

}  // namespace presence
