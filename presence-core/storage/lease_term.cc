#include "presence-core/storage/lease_term.h"

#include <algorithm>
#include <utility>

namespace presence {

LeaseTerm::LeaseTerm(absl::Duration lifetime, absl::Duration margin, absl::Time taken_at,
                     absl::Time now, bool is_awaited)
    : told_for_(lifetime - margin),
      renewed_at_(absl::ToUnixNanos(taken_at)),
      ticked_at_(absl::ToUnixNanos(now)),
      is_awaited_(is_awaited) {}

bool LeaseTerm::IsSure(absl::Time now) const {
  if (now < absl::FromUnixNanos(renewed_at_) + told_for_) return true;
  // The time first: OnTick() writes it last.
  const absl::Time ticked_at = absl::FromUnixNanos(ticked_at_);
  return now < ticked_at + told_for_ && !is_awaited_ && !has_stood_still_;
}

void LeaseTerm::OnTick(absl::Time now) {
  // In this order: whoever sees the new time sees what it means.
  if (now >= absl::FromUnixNanos(ticked_at_) + told_for_) has_stood_still_ = true;
  ticked_at_ = absl::ToUnixNanos(now);
}

bool LeaseTerm::OnRenewed(absl::Time asked_at, absl::Time now, bool is_awaited,
                          std::set<std::string> serving) {
  const bool is_all_there =
      std::includes(serving.begin(), serving.end(), serving_.begin(), serving_.end());
  serving_ = std::move(serving);
  is_awaited_ = is_awaited;
  renewed_at_ = absl::ToUnixNanos(asked_at);
  // Unless it stood still while the answer was on its way.
  if (now < asked_at + told_for_) has_stood_still_ = false;
  return !is_all_there;
}

}  // namespace presence
