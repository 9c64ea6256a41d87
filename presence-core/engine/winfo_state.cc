#include "presence-core/engine/winfo_state.h"

#include <algorithm>
#include <utility>

#include "presence-core/engine/decide.h"

namespace presence {

void WinfoLog::Add(WinfoEntry entry) {
  const uint64_t number = ++last_;
  auto [newest, is_new] = newest_.try_emplace(entry.id, number);
  if (!is_new) changes_.erase(std::exchange(newest->second, number));
  changes_.emplace(number, std::move(entry));
  if (changes_.size() > kMostChanges) forgotten_ = std::max(forgotten_, changes_.begin()->first);
  // Two for each that comes, so that whatever has been forgotten goes in time.
  for (int i = 0; i < 2; ++i) DropOldest();
}

size_t WinfoLog::Trim(uint64_t up_to) {
  forgotten_ = std::max(forgotten_, up_to);
  size_t gone = 0;
  while (gone < kRowsPerSlice && DropOldest()) ++gone;
  return gone;
}

bool WinfoLog::DropOldest() {
  auto oldest = changes_.begin();
  if (oldest == changes_.end() || oldest->first > forgotten_) return false;
  newest_.erase(oldest->second.id);
  changes_.erase(oldest);
  return true;
}

namespace {

using Part = WinfoPosition::Part;

bool IsReported(const Subscription& row) { return row.is_live() && !row.event.is_winfo(); }

WinfoEntry WaitingEntryOf(const WatcherRecord& record, absl::Time now) {
  WinfoEntry entry;
  entry.id = record.ordinal;
  entry.watcher = record.watcher;
  entry.status = SubscriptionState::kWaiting;
  entry.event = WinfoEvent::kTimeout;
  entry.subscribed_at = now;
  return entry;
}

// Reads one part of the full state; at its end the next begins.
template <typename Rows, typename Take>
size_t ReadRows(const Rows& rows, Part next, size_t room, WinfoPosition& position, Take take) {
  size_t seen = 0;
  auto it = rows.lower_bound(position.ordinal);
  for (; it != rows.end() && seen < room; ++it, ++seen) {
    position.ordinal = it->first;
    if (!take(*it->second)) return seen;
  }
  if (it == rows.end()) {
    position.part = next;
    position.ordinal = 0;
  } else {
    position.ordinal = it->first;
  }
  return seen;
}

}  // namespace

size_t ReadWinfo(const Resource& resource, const WinfoLog* log, absl::Time now, size_t most,
                 WinfoPosition& position, std::vector<WinfoItem>& items) {
  size_t seen = 0;
  if (position.part == Part::kChanges) {
    if (log == nullptr) return 0;
    auto it = log->changes().upper_bound(position.told);
    for (; it != log->changes().end() && items.size() < most && seen < kRowsPerSlice; ++it) {
      items.push_back({position, it->second});
      position.told = it->first;
      ++seen;
    }
    if (it == log->changes().end()) position.told = log->last();
    return seen;
  }
  if (position.part == Part::kSubscriptions) {
    seen = ReadRows(resource.subscriptions(), Part::kWaiting, kRowsPerSlice, position,
                    [&](const Subscription& row) {
                      if (!IsReported(row)) return true;
                      if (items.size() == most) return false;
                      const WinfoEvent event =
                          row.was_approved ? WinfoEvent::kApproved : WinfoEvent::kSubscribe;
                      items.push_back({position, EntryOf(row, event)});
                      return true;
                    });
  }
  if (position.part == Part::kWaiting && seen < kRowsPerSlice) {
    seen += ReadRows(resource.waiting(), Part::kChanges, kRowsPerSlice - seen, position,
                     [&](const WatcherRecord& record) {
                       if (items.size() == most) return false;
                       items.push_back({position, WaitingEntryOf(record, now)});
                       return true;
                     });
  }
  return seen;
}

}  // namespace presence
