#include "presence-core/server/cut_log.h"

#include <fmt/format.h>

#include <utility>

namespace presence {

void CutLog::OnCut(const ResourceKey& resource, CutDocument of, size_t left_out) {
  const bool is_winfo = of == CutDocument::kWinfo;
  uint64_t unsaid = 0;
  {
    absl::MutexLock lock(&mu_);
    ++(is_winfo ? counters_.winfo : counters_.states);
    const absl::Time now = clock_.Now();
    if (now < quiet_until_) {
      ++unsaid_;
      return;
    }
    quiet_until_ = now + kPause;
    unsaid = std::exchange(unsaid_, 0);
  }
  std::string line = fmt::format(
      "{} {} of {} ({}) had no room in a document; presentities with so many are not shown in full",
      left_out, is_winfo ? "watchers" : "elements of the state", resource.presentity.Uri(),
      resource.event.text());
  if (unsaid > 0) line += fmt::format("; {} more documents since the last such line", unsaid);
  warn_(line);
}

CutCounters CutLog::counters() const {
  absl::MutexLock lock(&mu_);
  return counters_;
}

}  // namespace presence
