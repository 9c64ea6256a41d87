#include <utility>

#include "presence-core/engine/notifier.h"

namespace presence {
namespace {

bool IsReported(const Subscription& row) { return row.is_live() && !row.event.is_winfo(); }

// Takes live watchers from `progress.resume_from` on, as many as a document holds.
void TakeWatchers(const Cell& cell, WinfoProgress& progress, size_t most, WinfoDocument& document,
                  size_t& rows) {
  const auto& subscriptions = cell.resource.subscriptions();
  auto it = subscriptions.lower_bound(progress.resume_from);
  for (; it != subscriptions.end(); ++it) {
    if (document.watchers.size() == most) break;
    ++rows;
    if (!IsReported(*it->second)) continue;
    const WinfoEvent event =
        it->second->was_approved ? WinfoEvent::kApproved : WinfoEvent::kSubscribe;
    document.watchers.push_back(EntryOf(*it->second, event));
    progress.changed.erase(it->first);
  }
  progress.resume_from = it == subscriptions.end() ? 0 : it->first;
}

void TakeWaiting(const Cell& cell, WinfoProgress& progress, absl::Time now) {
  for (const auto& [watcher, record] : cell.resource.watchers()) {
    if (!record->is_waiting()) continue;
    WinfoEntry entry;
    entry.id = record->ordinal;
    entry.watcher = watcher;
    entry.status = SubscriptionState::kWaiting;
    entry.event = WinfoEvent::kTimeout;
    entry.subscribed_at = now;
    progress.changed[entry.id] = std::move(entry);
  }
}

}  // namespace

WinfoDocument NextWinfo(const Cell& cell, WinfoProgress& progress, absl::Time now, size_t most,
                        size_t& rows) {
  WinfoDocument document;
  document.resource = cell.resource.key();
  document.version = progress.version++;
  if (std::exchange(progress.has_gap, false)) progress.needs_full = true;
  document.is_full = progress.needs_full;
  document.now = now;
  const bool goes_on = progress.needs_full || progress.resume_from != 0;
  if (progress.needs_full) {
    // A full state says all that changed so far; only who waits is not among the subscriptions.
    progress.needs_full = false;
    progress.resume_from = 0;
    progress.changed.clear();
    TakeWaiting(cell, progress, now);
  }
  if (goes_on) TakeWatchers(cell, progress, most, document, rows);
  while (!progress.changed.empty() && document.watchers.size() < most) {
    auto first = progress.changed.begin();
    document.watchers.push_back(std::move(first->second));
    progress.changed.erase(first);
    ++rows;
  }
  return document;
}

}  // namespace presence
