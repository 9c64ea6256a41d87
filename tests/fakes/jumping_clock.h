#ifndef PRESENCE_TESTS_FAKES_JUMPING_CLOCK_H_
#define PRESENCE_TESTS_FAKES_JUMPING_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "runtime/clock.h"

namespace presence {

// Goes as the system's and steps forward when told, as a clock seems to for who stood still. Safe
// to use from any thread.
class JumpingClock final : public Clock {
 public:
  absl::Time Now() const override { return clock_.Now() + absl::Milliseconds(ahead_.load()); }
  absl::Time WallNow() const override { return clock_.WallNow(); }
  void Jump(absl::Duration by) { ahead_ += absl::ToInt64Milliseconds(by); }

 private:
  SystemClock clock_;
  std::atomic<int64_t> ahead_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_TESTS_FAKES_JUMPING_CLOCK_H_
