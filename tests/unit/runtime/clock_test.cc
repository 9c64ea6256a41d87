#include "runtime/clock.h"

#include <gtest/gtest.h>

namespace presence {
namespace {

TEST(ManualClockTest, StandsStillUntilTold) {
  ManualClock clock(absl::FromUnixSeconds(100));
  EXPECT_EQ(clock.Now(), clock.Now());

  clock.Advance(absl::Seconds(5));

  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(105));
}

TEST(ManualClockTest, NeverGoesBack) {
  ManualClock clock(absl::FromUnixSeconds(100));

  clock.AdvanceTo(absl::FromUnixSeconds(50));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(100));

  clock.AdvanceTo(absl::FromUnixSeconds(150));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(150));
}

TEST(ManualClockTest, LetsTheWallClockJumpAlone) {
  ManualClock clock(absl::FromUnixSeconds(100));

  clock.JumpWall(-absl::Hours(1));
  clock.Advance(absl::Seconds(1));

  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(101));
  EXPECT_EQ(clock.WallNow(), absl::FromUnixSeconds(101) - absl::Hours(1));
}

TEST(SystemClockTest, NeverGoesBack) {
  const SystemClock clock;
  absl::Time last = clock.Now();
  for (int i = 0; i < 10'000; ++i) {
    const absl::Time now = clock.Now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(SystemClockTest, StartsAtTheWallTime) {
  const SystemClock clock;

  EXPECT_LT(absl::AbsDuration(clock.Now() - clock.WallNow()), absl::Seconds(5));
}

}  // namespace
}  // namespace presence
