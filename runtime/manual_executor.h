#ifndef PRESENCE_RUNTIME_MANUAL_EXECUTOR_H_
#define PRESENCE_RUNTIME_MANUAL_EXECUTOR_H_

#include <cstdint>
#include <map>
#include <utility>

#include "runtime/clock.h"
#include "runtime/executor.h"

namespace presence {

// An executor without a thread: runs what was posted when it is told to, on a ManualClock, in one
// order that depends on nothing but the posts. For tests and the simulation; not thread-safe.
class ManualExecutor final : public Executor {
 public:
  explicit ManualExecutor(ManualClock& clock) : clock_(clock) {}

  void Post(Task task) override { PostAt(clock_.Now(), std::move(task)); }
  void PostAt(absl::Time when, Task task) override {
    tasks_.emplace(std::pair(when, next_++), std::move(task));
  }

  // Runs the first task if its time has come; false when there is none.
  bool RunOne() {
    if (tasks_.empty() || tasks_.begin()->first.first > clock_.Now()) return false;
    Task task = std::move(tasks_.begin()->second);
    tasks_.erase(tasks_.begin());
    task();
    return true;
  }

  // Runs everything that is due now, and what that posts for now.
  void RunUntilIdle() {
    while (RunOne()) {
    }
  }

  // Lets time pass: runs every task at its time, then stands at the end of the span.
  void RunFor(absl::Duration span) {
    const absl::Time end = clock_.Now() + span;
    RunUntilIdle();
    while (!tasks_.empty() && tasks_.begin()->first.first <= end) {
      clock_.AdvanceTo(tasks_.begin()->first.first);
      RunUntilIdle();
    }
    clock_.AdvanceTo(end);
    RunUntilIdle();
  }

  // When the next task runs; InfiniteFuture without one.
  absl::Time NextDue() const {
    return tasks_.empty() ? absl::InfiniteFuture() : tasks_.begin()->first.first;
  }

  // Forgets everything that was posted: the process it belonged to is dead.
  void Clear() { tasks_.clear(); }

 private:
  ManualClock& clock_;
  uint64_t next_ = 0;
  std::map<std::pair<absl::Time, uint64_t>, Task> tasks_;
};

}  // namespace presence

#endif  // PRESENCE_RUNTIME_MANUAL_EXECUTOR_H_
