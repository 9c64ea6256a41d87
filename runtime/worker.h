#ifndef PRESENCE_RUNTIME_WORKER_H_
#define PRESENCE_RUNTIME_WORKER_H_

#include <deque>
#include <map>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "runtime/clock.h"
#include "runtime/executor.h"

namespace presence {

// An executor that is one thread. The destructor stops it.
class Worker final : public Executor {
 public:
  explicit Worker(const Clock& clock, std::string name);
  ~Worker() override;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Runs what was posted before, drops what waits for a later time, and joins; what is posted from
  // then on never runs. Not to be called from a task, nor by two threads at once; again is allowed.
  void Stop();

  void Post(Task task) override;
  void PostAt(absl::Time when, Task task) override;

 private:
  void Run();

  const Clock& clock_;
  const std::string name_;
  absl::Mutex mu_;  // a leaf: no other lock is taken while it is held
  std::deque<Task> ready_ ABSL_GUARDED_BY(mu_);
  std::multimap<absl::Time, Task> later_ ABSL_GUARDED_BY(mu_);
  bool is_stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // last: everything it uses exists before it starts
};

}  // namespace presence

#endif  // PRESENCE_RUNTIME_WORKER_H_
