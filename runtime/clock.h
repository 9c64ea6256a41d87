#ifndef PRESENCE_RUNTIME_CLOCK_H_
#define PRESENCE_RUNTIME_CLOCK_H_

#include "absl/time/time.h"

namespace presence {

// The only source of time. Safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  // Time for deadlines and intervals: never goes back and never jumps, whatever happens to the wall
  // clock. It is written as an absl::Time because it starts at the wall time of the process's
  // start.
  virtual absl::Time Now() const = 0;

  // Time for people and for storage: follows the system's clock, jumps included.
  virtual absl::Time WallNow() const = 0;
};

// The clock of a production process: CLOCK_BOOTTIME for Now(), CLOCK_REALTIME for WallNow().
class SystemClock final : public Clock {
 public:
  SystemClock();
  absl::Time Now() const override;
  absl::Time WallNow() const override;

 private:
  const absl::Time wall_at_start_;
  const absl::Duration boot_at_start_;
};

// A clock that stands still until told. Not thread-safe: for single-threaded tests and the
// simulation.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(absl::Time start = absl::FromUnixSeconds(1'700'000'000)) : now_(start) {}
  absl::Time Now() const override { return now_; }
  absl::Time WallNow() const override { return now_ + wall_offset_; }
  void Advance(absl::Duration by) { now_ += by; }
  void AdvanceTo(absl::Time t) { now_ = t < now_ ? now_ : t; }
  // Makes the wall clock jump against the steady one, as an administrator or NTP would.
  void JumpWall(absl::Duration by) { wall_offset_ += by; }

 private:
  absl::Time now_;
  absl::Duration wall_offset_;
};

}  // namespace presence

#endif  // PRESENCE_RUNTIME_CLOCK_H_
