#include "presence-core/engine/lock_holds.h"

#include <algorithm>

namespace presence {

std::string_view NameOf(Hold hold) {
  static constexpr std::string_view kNames[kHoldKinds] = {
      "command", "appended",  "load", "alarm", "notify",   "winfo",  "report",
      "credit",  "reconcile", "read", "list",  "schedule", "settle", "resync"};
  return kNames[static_cast<size_t>(hold)];
}

void LockHolds::Add(const LockHolds& other) {
  holds += other.holds;
  rows += other.rows;
  most_rows = std::max(most_rows, other.most_rows);
  longest = std::max(longest, other.longest);
}

}  // namespace presence
