#ifndef PRESENCE_RUNTIME_TIMER_WHEEL_H_
#define PRESENCE_RUNTIME_TIMER_WHEEL_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace presence {

using TimerId = uint64_t;
inline constexpr TimerId kNoTimer = 0;

// Alarms on an injected clock: a hierarchical timing wheel of `tick` resolution. Setting and
// cancelling are O(1); a payload is one 64-bit word whose meaning is the owner's. Not thread-safe:
// its owner guards it.
//
// An alarm never rings early: it rings in the first Advance() whose `now` is not before its time,
// at most one tick late by rounding. Alarms of one Advance() ring in order of their tick.
class TimerWheel {
 public:
  explicit TimerWheel(absl::Time start, absl::Duration tick = absl::Milliseconds(10));

  TimerId Set(absl::Time when, uint64_t payload);

  // After this the alarm does not ring. An unknown, rung or kNoTimer id is not an error.
  void Cancel(TimerId id);

  // Appends the payloads of all alarms due at `now` to `due`, and forgets them.
  void Advance(absl::Time now, std::vector<uint64_t>& due);

  // No alarm rings before this time; InfiniteFuture when there is none. A lower bound: an Advance()
  // at that time may find nothing yet, and then this has risen.
  absl::Time NextDue() const;

  size_t size() const { return timers_.size(); }

 private:
  static constexpr int kBits = 6;
  static constexpr int kSlots = 1 << kBits;
  static constexpr int kLevels = 7;  // 64^7 ticks of 10 ms: 1,394 years

  struct Timer {
    uint64_t tick;
    uint64_t payload;
    uint32_t level;
    uint32_t slot;
    uint32_t index;
  };

  void Insert(TimerId id, Timer& timer);
  void Cascade(int level);
  uint64_t TickOf(absl::Time t) const;

  const absl::Time start_;
  const absl::Duration tick_;
  uint64_t current_ = 0;  // every timer's tick is > current_, or rings at the next Advance
  TimerId next_id_ = 1;
  absl::flat_hash_map<TimerId, Timer> timers_;
  std::array<std::array<std::vector<TimerId>, kSlots>, kLevels> slots_;
  std::array<uint64_t, kLevels> occupied_{};  // bit i: slot i of that level is not empty
};

}  // namespace presence

#endif  // PRESENCE_RUNTIME_TIMER_WHEEL_H_
