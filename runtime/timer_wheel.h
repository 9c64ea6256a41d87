#ifndef PRESENCE_RUNTIME_TIMER_WHEEL_H_
#define PRESENCE_RUNTIME_TIMER_WHEEL_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace presence {

using TimerId = uint64_t;
inline constexpr TimerId kNoTimer = 0;

// Alarms on an injected clock: a hierarchical timing wheel of `tick` resolution. Setting and
// cancelling are O(1); what a payload means is the owner's affair. Not thread-safe: its owner
// guards it.
//
// An alarm never rings early: it rings in the first Advance() whose `now` is not before its time,
// at most one tick late by rounding. Alarms of one Advance() ring in order of their tick.
template <typename Payload>
class TimerWheelOf {
 public:
  explicit TimerWheelOf(absl::Time start, absl::Duration tick = absl::Milliseconds(10))
      : start_(start), tick_(tick) {}

  TimerId Set(absl::Time when, Payload payload) {
    const TimerId id = next_id_++;
    Timer& timer = timers_[id];
    timer.tick = std::max(TickOf(when), current_ + 1);
    timer.payload = std::move(payload);
    Insert(id, timer);
    return id;
  }

  // After this the alarm does not ring. An unknown, rung or kNoTimer id is not an error.
  void Cancel(TimerId id);

  // Appends the payloads of all alarms due at `now` to `due`, and forgets them.
  void Advance(absl::Time now, std::vector<Payload>& due) {
    AdvanceSome(now, due, std::numeric_limits<size_t>::max());
  }

  // The same in pieces, where alarms that fall together must not keep the owner for long: touches
  // at most `most` alarms, to ring them or to move them closer, and returns how many. With fewer
  // than `most` it has come to `now`; else the next call goes on from there.
  size_t AdvanceSome(absl::Time now, std::vector<Payload>& due, size_t most);

  // No alarm rings before this time; InfiniteFuture when there is none. A lower bound: an Advance()
  // at that time may find nothing yet, and then this has risen.
  absl::Time NextDue() const;

  size_t size() const { return timers_.size(); }

 private:
  static constexpr int kBits = 6;
  static constexpr int kSlots = 1 << kBits;
  static constexpr int kLevels = 7;  // 64^7 ticks of 10 ms: 1,394 years
  static constexpr uint64_t kNever = ~uint64_t{0};

  struct Timer {
    uint64_t tick;
    Payload payload;
    uint32_t index;
    uint8_t level;
    uint8_t slot;
  };

  uint64_t TickOf(absl::Time t) const;
  void Insert(TimerId id, Timer& timer);
  // Takes the last timer off the slot of `level` that is open now.
  TimerId PopOpen(int level);
  uint64_t OpenSlot(int level) const { return (current_ >> (level * kBits)) & (kSlots - 1); }
  bool IsOpenSlotOccupied(int level) const { return occupied_[level] >> OpenSlot(level) & 1; }
  // The next tick at which a slot of any level opens: empty stretches cost one step a level.
  uint64_t NextOpening() const;

  const absl::Time start_;
  const absl::Duration tick_;
  // Every timer's tick is > current_ and stands in a slot that opens later - or, when AdvanceSome
  // stopped half-way, in one of the slots open now.
  uint64_t current_ = 0;
  TimerId next_id_ = 1;
  absl::flat_hash_map<TimerId, Timer> timers_;
  std::array<std::array<std::vector<TimerId>, kSlots>, kLevels> slots_;
  std::array<uint64_t, kLevels> occupied_{};  // bit i: slot i of that level is not empty
};

// For owners whose payload is a number.
using TimerWheel = TimerWheelOf<uint64_t>;

template <typename Payload>
uint64_t TimerWheelOf<Payload>::TickOf(absl::Time t) const {
  if (t <= start_) return 0;
  // Rounded up, so that an alarm never rings early.
  constexpr int64_t kFarthest = int64_t{1} << (kBits * kLevels - 1);
  absl::Duration rest;
  // Capped before it is rounded: the end of time has as many ticks as the number can hold.
  int64_t ticks = std::min(absl::IDivDuration(t - start_, tick_, &rest), kFarthest);
  if (rest > absl::ZeroDuration()) ++ticks;
  return static_cast<uint64_t>(ticks);
}

template <typename Payload>
void TimerWheelOf<Payload>::Insert(TimerId id, Timer& timer) {
  // The level is that of the highest 6-bit digit in which the timer's tick differs from the present
  // one.
  const uint64_t differ = timer.tick ^ current_;
  const int highest = 63 - std::countl_zero(differ | 1);
  const int level = std::min(highest / kBits, kLevels - 1);
  const uint64_t slot = (timer.tick >> (level * kBits)) & (kSlots - 1);
  auto& ids = slots_[level][slot];
  timer.level = static_cast<uint8_t>(level);
  timer.slot = static_cast<uint8_t>(slot);
  timer.index = static_cast<uint32_t>(ids.size());
  ids.push_back(id);
  occupied_[level] |= uint64_t{1} << slot;
}

template <typename Payload>
void TimerWheelOf<Payload>::Cancel(TimerId id) {
  auto it = timers_.find(id);
  if (it == timers_.end()) return;
  const Timer timer = it->second;
  timers_.erase(it);
  auto& ids = slots_[timer.level][timer.slot];
  if (timer.index + 1 != ids.size()) {
    ids[timer.index] = ids.back();
    timers_.at(ids[timer.index]).index = timer.index;
  }
  ids.pop_back();
  if (ids.empty()) {
    occupied_[timer.level] &= ~(uint64_t{1} << timer.slot);
    ids.shrink_to_fit();
  }
}

template <typename Payload>
TimerId TimerWheelOf<Payload>::PopOpen(int level) {
  auto& ids = slots_[level][OpenSlot(level)];
  const TimerId id = ids.back();
  ids.pop_back();
  if (ids.empty()) {
    occupied_[level] &= ~(uint64_t{1} << OpenSlot(level));
    ids.shrink_to_fit();
  }
  return id;
}

template <typename Payload>
uint64_t TimerWheelOf<Payload>::NextOpening() const {
  uint64_t next = kNever;
  for (int level = 0; level < kLevels; ++level) {
    const uint64_t digit = OpenSlot(level);
    const uint64_t later = digit == kSlots - 1 ? 0 : occupied_[level] >> (digit + 1);
    if (later == 0) continue;
    const int shift = level * kBits;
    const uint64_t slot = digit + 1 + static_cast<uint64_t>(std::countr_zero(later));
    const uint64_t above = (current_ >> (shift + kBits)) << (shift + kBits);
    next = std::min(next, above | (slot << shift));
  }
  return next;
}

template <typename Payload>
size_t TimerWheelOf<Payload>::AdvanceSome(absl::Time now, std::vector<Payload>& due, size_t most) {
  if (now < start_) return 0;
  const auto target = static_cast<uint64_t>((now - start_) / tick_);
  size_t touched = 0;
  for (;;) {
    // Deals the timers of the slots that are open to the levels below, and rings the lowest.
    for (int level = kLevels - 1; level >= 0; --level) {
      while (IsOpenSlotOccupied(level)) {
        if (touched == most) return touched;
        ++touched;
        auto it = timers_.find(PopOpen(level));
        if (level > 0) {
          Insert(it->first, it->second);
        } else {
          due.push_back(std::move(it->second.payload));
          timers_.erase(it);
        }
      }
    }
    if (current_ >= target) return touched;
    current_ = std::min(NextOpening(), target);
  }
}

template <typename Payload>
absl::Time TimerWheelOf<Payload>::NextDue() const {
  if (timers_.empty()) return absl::InfiniteFuture();
  uint64_t next = NextOpening();
  for (int level = 0; level < kLevels; ++level) {
    if (IsOpenSlotOccupied(level)) next = current_;
  }
  if (next == kNever) next = current_ + 1;
  return start_ + static_cast<int64_t>(next) * tick_;
}

}  // namespace presence

#endif  // PRESENCE_RUNTIME_TIMER_WHEEL_H_
