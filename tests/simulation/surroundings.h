#ifndef PRESENCE_TESTS_SIMULATION_SURROUNDINGS_H_
#define PRESENCE_TESTS_SIMULATION_SURROUNDINGS_H_

#include <functional>
#include <memory>
#include <utility>
#include <variant>

#include "runtime/clock.h"
#include "runtime/manual_executor.h"
#include "runtime/random.h"
#include "tests/simulation/faults.h"
#include "tests/simulation/fingerprint.h"
#include "tests/simulation/history.h"
#include "tests/simulation/storage_mode.h"

namespace presence::simulation {

// What everything in one simulation shares: the time, the order of tasks, the dice, how much goes
// wrong, and the pen.
struct Surroundings {
  explicit Surroundings(uint64_t seed) : dice(seed) {}

  ManualClock clock;
  ManualExecutor executor{clock};
  SeededRandom dice;
  Faults faults;
  Plant plant = Plant::kNone;
  StorageMode mode = StorageMode::kScripted;
  // The packages of production and their documents, or ones of one line of text (documents.h).
  const bool uses_xml = dice.Chance(50);
  std::function<void(const Event&)> record = [](const Event&) {};
  Fingerprint fingerprint;

  template <typename T>
  void Record(T what) {
    record({clock.Now(), std::move(what)});
  }
  void After(absl::Duration delay, Task task) {
    executor.PostAt(clock.Now() + delay, std::move(task));
  }
  // Uniform in [0, longest].
  absl::Duration UpTo(absl::Duration longest) {
    return absl::Microseconds(static_cast<int64_t>(
        dice.Below(static_cast<uint64_t>(absl::ToInt64Microseconds(longest)) + 1)));
  }
};

// The executor of one process: what it was given to do, and what it gets while dead, dies with it.
class ProcessExecutor final : public Executor {
 public:
  explicit ProcessExecutor(Executor& executor) : executor_(executor) {}

  void Post(Task task) override { executor_.Post(Guarded(std::move(task))); }
  void PostAt(absl::Time when, Task task) override {
    executor_.PostAt(when, Guarded(std::move(task)));
  }
  void Live() { life_ = std::make_shared<int>(); }
  void Die() { life_.reset(); }

 private:
  Task Guarded(Task task) {
    return [life = std::weak_ptr<int>(life_), task = std::move(task)]() mutable {
      if (!life.expired()) task();
    };
  }

  Executor& executor_;
  std::shared_ptr<int> life_;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_SURROUNDINGS_H_
