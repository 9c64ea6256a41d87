#include "runtime/clock.h"

#include <time.h>

#include "absl/time/clock.h"

namespace presence {
namespace {

absl::Duration BootTime() {
  // CLOCK_BOOTTIME goes on while the machine is suspended: a lifetime of an hour is an hour.
  timespec ts{};
  clock_gettime(CLOCK_BOOTTIME, &ts);
  return absl::DurationFromTimespec(ts);
}

}  // namespace

SystemClock::SystemClock() : wall_at_start_(absl::Now()), boot_at_start_(BootTime()) {}

absl::Time SystemClock::Now() const { return wall_at_start_ + (BootTime() - boot_at_start_); }

absl::Time SystemClock::WallNow() const { return absl::Now(); }

}  // namespace presence
