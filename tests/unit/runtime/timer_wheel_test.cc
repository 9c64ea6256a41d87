#include "runtime/timer_wheel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "runtime/random.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr absl::Duration kTick = absl::Milliseconds(10);

class TimerWheelTest : public testing::Test {
 protected:
  std::vector<uint64_t> AdvanceTo(absl::Time now) {
    std::vector<uint64_t> due;
    wheel_.Advance(now, due);
    return due;
  }

  const absl::Time start_ = absl::FromUnixSeconds(1'700'000'000);
  TimerWheel wheel_{start_, kTick};
};

TEST_F(TimerWheelTest, RingsAtItsTimeAndNotBefore) {
  wheel_.Set(start_ + absl::Seconds(1), 7);

  EXPECT_THAT(AdvanceTo(start_ + absl::Milliseconds(999)), IsEmpty());
  EXPECT_THAT(AdvanceTo(start_ + absl::Seconds(1)), ElementsAre(7));
  EXPECT_THAT(AdvanceTo(start_ + absl::Hours(1)), IsEmpty());
}

TEST_F(TimerWheelTest, RoundsUpToTheNextTick) {
  wheel_.Set(start_ + absl::Milliseconds(15), 7);

  EXPECT_THAT(AdvanceTo(start_ + absl::Milliseconds(19)), IsEmpty());
  EXPECT_THAT(AdvanceTo(start_ + absl::Milliseconds(20)), ElementsAre(7));
}

TEST_F(TimerWheelTest, RingsAtTheNextTickWhenItsTimeHasPassed) {
  AdvanceTo(start_ + absl::Seconds(5));
  wheel_.Set(start_ + absl::Seconds(1), 7);
  wheel_.Set(start_ - absl::Hours(1), 8);
  wheel_.Set(absl::InfinitePast(), 9);

  EXPECT_THAT(AdvanceTo(start_ + absl::Seconds(5) + kTick), UnorderedElementsAre(7, 8, 9));
}

TEST_F(TimerWheelTest, DoesNotRingAgainWhenTheClockStandsStill) {
  wheel_.Set(start_, 7);

  EXPECT_THAT(AdvanceTo(start_), IsEmpty());
  EXPECT_THAT(AdvanceTo(start_ + kTick), ElementsAre(7));
  EXPECT_THAT(AdvanceTo(start_ + kTick), IsEmpty());
}

TEST_F(TimerWheelTest, RingsInTheOrderOfTicks) {
  wheel_.Set(start_ + absl::Hours(3), 3);
  wheel_.Set(start_ + absl::Milliseconds(20), 1);
  wheel_.Set(start_ + absl::Seconds(20), 2);

  EXPECT_THAT(AdvanceTo(start_ + absl::Hours(4)), ElementsAre(1, 2, 3));
}

TEST_F(TimerWheelTest, NeverRingsOnceCancelled) {
  const TimerId id = wheel_.Set(start_ + absl::Seconds(1), 7);
  wheel_.Set(start_ + absl::Seconds(1), 8);

  wheel_.Cancel(id);

  EXPECT_EQ(wheel_.size(), 1u);
  EXPECT_THAT(AdvanceTo(start_ + absl::Seconds(1)), ElementsAre(8));
}

TEST_F(TimerWheelTest, CancelsWhatIsNotThereWithoutHarm) {
  const TimerId id = wheel_.Set(start_ + absl::Seconds(1), 7);
  AdvanceTo(start_ + absl::Seconds(1));

  wheel_.Cancel(id);
  wheel_.Cancel(kNoTimer);
  wheel_.Cancel(id + 1000);

  EXPECT_EQ(wheel_.size(), 0u);
}

TEST_F(TimerWheelTest, TellsABoundNotBeforeWhichNothingRings) {
  EXPECT_EQ(wheel_.NextDue(), absl::InfiniteFuture());

  wheel_.Set(start_ + absl::Seconds(90), 7);

  EXPECT_LE(wheel_.NextDue(), start_ + absl::Seconds(90));
  EXPECT_GT(wheel_.NextDue(), start_);
}

TEST_F(TimerWheelTest, ReachesAnAlarmInAFewStepsWhenCalledAtEachBound) {
  wheel_.Set(start_ + absl::Hours(24 * 365), 7);

  int steps = 0;
  std::vector<uint64_t> due;
  while (due.empty() && ++steps < 100) wheel_.Advance(wheel_.NextDue(), due);

  EXPECT_THAT(due, ElementsAre(7));
  EXPECT_LE(steps, 7);  // one a level
}

TEST_F(TimerWheelTest, HoldsAnAlarmForTheEndOfTime) {
  wheel_.Set(absl::InfiniteFuture(), 7);
  wheel_.Set(start_ + absl::Seconds(1), 8);

  EXPECT_THAT(AdvanceTo(start_ + absl::Hours(24 * 365 * 10)), ElementsAre(8));
  EXPECT_EQ(wheel_.size(), 1u);
}

TEST_F(TimerWheelTest, StandsStillWhenTheClockIsBeforeItsStart) {
  wheel_.Set(start_ + absl::Seconds(1), 7);

  EXPECT_THAT(AdvanceTo(start_ - absl::Hours(1)), IsEmpty());
  EXPECT_THAT(AdvanceTo(start_ + absl::Seconds(1)), ElementsAre(7));
}

TEST_F(TimerWheelTest, TakesAnAlarmSetWhileItsOwnerHandlesAnother) {
  wheel_.Set(start_ + absl::Seconds(1), 1);
  ASSERT_THAT(AdvanceTo(start_ + absl::Seconds(1)), ElementsAre(1));

  wheel_.Set(start_ + absl::Seconds(1), 2);

  EXPECT_THAT(AdvanceTo(start_ + absl::Seconds(1)), IsEmpty());
  EXPECT_THAT(AdvanceTo(start_ + absl::Seconds(1) + kTick), ElementsAre(2));
}

TEST_F(TimerWheelTest, TouchesNoMoreAlarmsAtATimeThanItMay) {
  for (uint64_t i = 0; i < 1000; ++i) wheel_.Set(start_ + absl::Seconds(100), i);
  for (uint64_t i = 0; i < 1000; ++i) wheel_.Set(start_ + absl::Seconds(200), 1000 + i);
  const absl::Time now = start_ + absl::Seconds(150);

  std::vector<uint64_t> due;
  size_t touched = 0;
  size_t calls = 0;
  do {
    const size_t before = due.size();
    touched = wheel_.AdvanceSome(now, due, 64);
    EXPECT_LE(touched, 64u);
    EXPECT_LE(due.size() - before, touched);
    // What is set and cancelled half-way takes its place among the others.
    if (++calls == 5) wheel_.Cancel(wheel_.Set(now, 5000));
    if (calls == 6) wheel_.Set(now, 6000);
    if (touched == 64) {
      EXPECT_LE(wheel_.NextDue(), now);
    }
  } while (touched == 64);

  EXPECT_THAT(due, SizeIs(1001));
  EXPECT_EQ(std::count(due.begin(), due.end(), 6000), 1);
  EXPECT_EQ(wheel_.size(), 1000u);
  EXPECT_GT(wheel_.NextDue(), now);
}

// What the wheel must do, said as simply as possible: a sorted list.
class SortedModel {
 public:
  void Set(absl::Time when, uint64_t payload) { alarms_[payload] = when; }
  void Cancel(uint64_t payload) { alarms_.erase(payload); }
  size_t size() const { return alarms_.size(); }
  absl::Time Next() const {
    absl::Time next = absl::InfiniteFuture();
    for (const auto& [payload, when] : alarms_) next = std::min(next, when);
    return next;
  }
  const std::map<uint64_t, absl::Time>& alarms() const { return alarms_; }

 private:
  std::map<uint64_t, absl::Time> alarms_;
};

class TimerWheelModelTest : public testing::TestWithParam<uint64_t> {
 protected:
  absl::Duration RandomDelay() {
    // From less than a tick to days, each scale as likely: every level of the wheel is used.
    const uint64_t scale = random_.Below(34);
    return absl::Milliseconds(static_cast<int64_t>(random_.Below((uint64_t{1} << scale) + 1))) -
           absl::Milliseconds(static_cast<int64_t>(random_.Below(3)));
  }
  void SetOne() {
    const absl::Time when = now_ + RandomDelay();
    const uint64_t payload = next_payload_++;
    ids_[payload] = wheel_.Set(when, payload);
    // An alarm of the past rings at the next tick.
    model_.Set(std::max(when, now_), payload);
  }
  void CancelOne() {
    if (ids_.empty()) return;
    auto it = ids_.lower_bound(random_.Below(next_payload_));
    if (it == ids_.end()) it = ids_.begin();
    wheel_.Cancel(it->second);
    model_.Cancel(it->first);
    ids_.erase(it);
  }
  void Jump() {
    ASSERT_LE(wheel_.NextDue() - kTick, std::max(model_.Next(), now_)) << "slept past an alarm";
    // To the bound the wheel tells, or anywhere.
    const absl::Time bound = wheel_.NextDue();
    now_ = random_.Chance(30) && bound < absl::InfiniteFuture()
               ? std::max(now_, bound)
               : now_ + std::max(RandomDelay(), absl::ZeroDuration());
    std::vector<uint64_t> due;
    const size_t most = 1 + random_.Below(40);
    while (wheel_.AdvanceSome(now_, due, most) == most) {
    }
    absl::Time last_tick = absl::InfinitePast();
    for (const uint64_t payload : due) {
      const auto it = model_.alarms().find(payload);
      ASSERT_NE(it, model_.alarms().end()) << "rang twice, or though cancelled";
      ASSERT_LE(it->second, now_) << "rang early";
      ASSERT_GE(it->second, last_tick - kTick) << "rang out of order";
      last_tick = std::max(last_tick, it->second);
      model_.Cancel(payload);
      ids_.erase(payload);
    }
    for (const auto& [payload, when] : model_.alarms()) {
      ASSERT_GT(when + kTick, now_) << "more than a tick late";
    }
    ASSERT_EQ(wheel_.size(), model_.size());
  }

  SeededRandom random_{GetParam()};
  const absl::Time start_ = absl::FromUnixSeconds(1'700'000'000);
  absl::Time now_ = start_;
  TimerWheel wheel_{start_, kTick};
  SortedModel model_;
  std::map<uint64_t, TimerId> ids_;
  uint64_t next_payload_ = 1;
};

TEST_P(TimerWheelModelTest, AgreesWithASortedList) {
  for (int step = 0; step < 2'000; ++step) {
    const uint64_t dice = random_.Below(10);
    if (dice < 5) {
      SetOne();
    } else if (dice < 7) {
      CancelOne();
    } else {
      ASSERT_NO_FATAL_FAILURE(Jump()) << "step " << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, TimerWheelModelTest, testing::Range(uint64_t{1}, uint64_t{41}));

}  // namespace
}  // namespace presence
