#ifndef PRESENCE_RUNTIME_EXECUTOR_H_
#define PRESENCE_RUNTIME_EXECUTOR_H_

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace presence {

using Task = absl::AnyInvocable<void()>;

// Runs tasks one after the other, in the order they were posted, never inside Post(). Two executors
// may run at once; one never runs two tasks at once. Safe to call from any thread.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void Post(Task task) = 0;

  // Runs `task` at `when` of the executor's clock, or soon if that has passed. There is no
  // cancelling: a task that finds its reason gone does nothing.
  virtual void PostAt(absl::Time when, Task task) = 0;
};

}  // namespace presence

#endif  // PRESENCE_RUNTIME_EXECUTOR_H_
