#include "sip-gateway/locating/dead_targets.h"

#include <algorithm>
#include <utility>

namespace presence::sip {

void DeadTargets::Mark(const Target& target, absl::Duration duration) {
  if (duration <= absl::ZeroDuration()) duration = options_.default_duration;
  absl::Time until = clock_.Now() + std::min(duration, options_.max_duration);
  if (const auto known = until_.find(target); known != until_.end()) {
    until = std::max(until, known->second);
    Clear(target);
  }
  // The first in time: one whose time is over if there is any.
  while (until_.size() >= options_.max_entries && !until_.empty()) Clear(by_time_.begin()->second);
  until_.emplace(target, until);
  by_time_.emplace(until, target);
}

void DeadTargets::Clear(Target target) {
  const auto it = until_.find(target);
  if (it == until_.end()) return;
  by_time_.erase({it->second, std::move(target)});
  until_.erase(it);
}

absl::Time DeadTargets::DeadUntil(const Target& target) const {
  const auto it = until_.find(target);
  if (it == until_.end() || it->second <= clock_.Now()) return absl::InfinitePast();
  return it->second;
}

void DeadTargets::PutLast(std::vector<Target>& targets) const {
  if (until_.empty() || targets.size() < 2) return;
  std::ranges::stable_sort(targets, {}, [&](const Target& t) { return DeadUntil(t); });
}

}  // namespace presence::sip
