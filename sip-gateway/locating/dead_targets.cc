#include "sip-gateway/locating/dead_targets.h"

#include <algorithm>

namespace presence::sip {

void DeadTargets::Mark(const Target& target, absl::Duration duration) {
  if (duration <= absl::ZeroDuration()) duration = options_.default_duration;
  const absl::Time until = clock_.Now() + std::min(duration, options_.max_duration);
  if (!until_.contains(target)) MakeRoom();
  absl::Time& known = until_.try_emplace(target, until).first->second;
  known = std::max(known, until);
}

void DeadTargets::Clear(const Target& target) { until_.erase(target); }

void DeadTargets::MakeRoom() {
  if (until_.size() < options_.max_entries) return;
  const absl::Time now = clock_.Now();
  absl::erase_if(until_, [&](const auto& entry) { return entry.second <= now; });
  if (until_.size() < options_.max_entries || until_.empty()) return;
  until_.erase(std::ranges::min_element(until_, {}, [](const auto& e) { return e.second; }));
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
