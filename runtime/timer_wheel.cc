#include "runtime/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace presence {

TimerWheel::TimerWheel(absl::Time start, absl::Duration tick) : start_(start), tick_(tick) {}

uint64_t TimerWheel::TickOf(absl::Time t) const {
  if (t <= start_) return 0;
  // Rounded up, so that an alarm never rings early.
  constexpr int64_t kFarthest = int64_t{1} << (kBits * kLevels - 1);
  absl::Duration rest;
  // Capped before it is rounded: the end of time has as many ticks as the number can hold.
  int64_t ticks = std::min(absl::IDivDuration(t - start_, tick_, &rest), kFarthest);
  if (rest > absl::ZeroDuration()) ++ticks;
  return static_cast<uint64_t>(ticks);
}

TimerId TimerWheel::Set(absl::Time when, uint64_t payload) {
  const TimerId id = next_id_++;
  Timer& timer = timers_[id];
  timer.tick = std::max(TickOf(when), current_ + 1);
  timer.payload = payload;
  Insert(id, timer);
  return id;
}

void TimerWheel::Insert(TimerId id, Timer& timer) {
  // The level is that of the highest 6-bit digit in which the timer's tick differs from the present
  // one.
  const uint64_t differ = timer.tick ^ current_;
  const int highest = 63 - std::countl_zero(differ | 1);
  const int level = std::min(highest / kBits, kLevels - 1);
  const auto slot = static_cast<uint32_t>((timer.tick >> (level * kBits)) & (kSlots - 1));
  auto& ids = slots_[level][slot];
  timer.level = static_cast<uint32_t>(level);
  timer.slot = slot;
  timer.index = static_cast<uint32_t>(ids.size());
  ids.push_back(id);
  occupied_[level] |= uint64_t{1} << slot;
}

void TimerWheel::Cancel(TimerId id) {
  auto it = timers_.find(id);
  if (it == timers_.end()) return;
  const Timer timer = it->second;
  timers_.erase(it);
  auto& ids = slots_[timer.level][timer.slot];
  if (timer.index + 1 != ids.size()) {
    ids[timer.index] = ids.back();
    timers_[ids[timer.index]].index = timer.index;
  }
  ids.pop_back();
  if (ids.empty()) {
    occupied_[timer.level] &= ~(uint64_t{1} << timer.slot);
    ids.shrink_to_fit();
  }
}

void TimerWheel::Cascade(int level) {
  const auto slot = (current_ >> (level * kBits)) & (kSlots - 1);
  std::vector<TimerId> ids;
  ids.swap(slots_[level][slot]);
  occupied_[level] &= ~(uint64_t{1} << slot);
  for (TimerId id : ids) Insert(id, timers_[id]);
}

void TimerWheel::Advance(absl::Time now, std::vector<uint64_t>& due) {
  if (now < start_) return;
  const auto target = static_cast<uint64_t>((now - start_) / tick_);
  while (current_ < target) {
    if (timers_.empty()) {
      current_ = target;
      return;
    }
    // Skip to the next tick at which a slot of any level opens; empty stretches cost one step a
    // level.
    uint64_t next = target;
    for (int level = 0; level < kLevels; ++level) {
      if (occupied_[level] == 0) continue;
      const int shift = level * kBits;
      const uint64_t digit = (current_ >> shift) & (kSlots - 1);
      const uint64_t later = digit == kSlots - 1 ? 0 : occupied_[level] >> (digit + 1);
      if (later == 0) continue;
      const uint64_t slot = digit + 1 + static_cast<uint64_t>(std::countr_zero(later));
      const uint64_t above =
          shift + kBits >= 64 ? 0 : (current_ >> (shift + kBits)) << (shift + kBits);
      next = std::min(next, above | (slot << shift));
    }
    const uint64_t previous = current_;
    current_ = next;
    // A digit that changed opens a new slot on its level: deal its timers to the levels below.
    for (int level = kLevels - 1; level > 0; --level) {
      if ((previous >> (level * kBits)) != (current_ >> (level * kBits))) Cascade(level);
    }
    const auto slot = current_ & (kSlots - 1);
    std::vector<TimerId> ids;
    ids.swap(slots_[0][slot]);
    occupied_[0] &= ~(uint64_t{1} << slot);
    for (TimerId id : ids) {
      auto it = timers_.find(id);
      due.push_back(it->second.payload);
      timers_.erase(it);
    }
  }
}

absl::Time TimerWheel::NextDue() const {
  if (timers_.empty()) return absl::InfiniteFuture();
  uint64_t next = ~uint64_t{0};
  for (int level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const int shift = level * kBits;
    const uint64_t digit = (current_ >> shift) & (kSlots - 1);
    const uint64_t later = digit == kSlots - 1 ? 0 : occupied_[level] >> (digit + 1);
    if (later == 0) continue;
    const uint64_t slot = digit + 1 + static_cast<uint64_t>(std::countr_zero(later));
    const uint64_t above = (current_ >> (shift + kBits)) << (shift + kBits);
    next = std::min(next, above | (slot << shift));
  }
  if (next == ~uint64_t{0}) next = current_ + 1;
  return start_ + static_cast<int64_t>(next) * tick_;
}

}  // namespace presence
