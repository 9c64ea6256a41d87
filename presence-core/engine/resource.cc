#include "presence-core/engine/resource.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace presence {
namespace {

uint64_t CallIdHash(std::string_view call_id) { return std::hash<std::string_view>()(call_id); }

uint64_t WatcherHash(const WatcherUri& watcher) { return std::hash<std::string>()(watcher.text()); }

bool CountsAsWatching(const Subscription& row) { return row.is_live() && !row.event.is_winfo(); }

}  // namespace

PublicationPtr Resource::FindPublication(PublicationId id) const {
  for (const PublicationPtr& publication : publications_) {
    if (publication->id == id) return publication;
  }
  return nullptr;
}

SubscriptionPtr Resource::FindSubscription(const LocalTag& id) const {
  auto it = ordinals_.find(id);
  return it == ordinals_.end() ? nullptr : subscriptions_.at(it->second);
}

absl::InlinedVector<uint64_t, 1> Resource::FindByCallId(std::string_view call_id) const {
  auto it = by_call_id_.find(CallIdHash(call_id));
  if (it == by_call_id_.end()) return {};
  absl::InlinedVector<uint64_t, 1> found;
  for (uint64_t ordinal : it->second) {
    if (subscriptions_.at(ordinal)->dialog.call_id() == call_id) found.push_back(ordinal);
  }
  return found;
}

void Resource::Apply(const RowChanges& changes) {
  if (changes.resource.has_value()) row_ = *changes.resource;
  for (const auto& [id, row] : changes.publications) {
    const PublicationId wanted = id;
    auto it = std::find_if(publications_.begin(), publications_.end(),
                           [wanted](const PublicationPtr& p) { return p->id == wanted; });
    if (it == publications_.end()) {
      if (row != nullptr) publications_.push_back(row);
    } else if (row == nullptr) {
      publications_.erase(it);
    } else {
      *it = row;
    }
  }
  for (const auto& [id, row] : changes.subscriptions) {
    Erase(id);
    if (row != nullptr) Put(id, row);
  }
  for (const auto& [watcher, row] : changes.watchers) {
    if (row == nullptr) {
      watchers_.erase(watcher);
    } else {
      watchers_[watcher] = row;
    }
  }
  for (const auto& [key, row] : changes.answers) {
    if (row == nullptr) {
      answers_.erase(key);
    } else {
      answers_[key] = row;
    }
  }
}

void Resource::Replace(const RowChanges& rows) {
  // Transient subscriptions never were in the journal; those of this process go on.
  RowChanges transient;
  for (const auto& [ordinal, row] : subscriptions_) {
    if (row->is_transient) transient.subscriptions.emplace_back(row->id, row);
  }
  const uint64_t next_ordinal = row_.next_ordinal;
  publications_.clear();
  subscriptions_.clear();
  ordinals_.clear();
  by_call_id_.clear();
  count_by_watcher_.clear();
  watchers_.clear();
  answers_.clear();
  live_subscriptions_ = authorized_subscriptions_ = 0;
  Apply(rows);
  Apply(transient);
  row_.next_ordinal = std::max(row_.next_ordinal, next_ordinal);
}

size_t Resource::CountOf(const WatcherUri& watcher) const {
  auto it = count_by_watcher_.find(WatcherHash(watcher));
  return it == count_by_watcher_.end() ? 0 : it->second;
}

void Resource::Put(const LocalTag& id, SubscriptionPtr row) {
  ++count_by_watcher_[WatcherHash(row->watcher)];
  if (CountsAsWatching(*row)) {
    ++live_subscriptions_;
    authorized_subscriptions_ += row->is_authorized ? 1 : 0;
  }
  ordinals_[id] = row->ordinal;
  if (!row->is_native()) by_call_id_[CallIdHash(row->dialog.call_id())].push_back(row->ordinal);
  subscriptions_[row->ordinal] = std::move(row);
}

void Resource::Erase(const LocalTag& id) {
  auto found = ordinals_.find(id);
  if (found == ordinals_.end()) return;
  auto it = subscriptions_.find(found->second);
  const SubscriptionPtr row = it->second;
  if (CountsAsWatching(*row)) {
    --live_subscriptions_;
    authorized_subscriptions_ -= row->is_authorized ? 1 : 0;
  }
  auto count = count_by_watcher_.find(WatcherHash(row->watcher));
  if (--count->second == 0) count_by_watcher_.erase(count);
  if (!row->is_native()) {
    auto by_call_id = by_call_id_.find(CallIdHash(row->dialog.call_id()));
    auto& ordinals = by_call_id->second;
    ordinals.erase(std::find(ordinals.begin(), ordinals.end(), row->ordinal));
    if (ordinals.empty()) by_call_id_.erase(by_call_id);
  }
  subscriptions_.erase(it);
  ordinals_.erase(found);
}

RowChanges Resource::ChangesToLoad(ResourceRows rows) {
  RowChanges changes;
  changes.key = std::move(rows.key);
  changes.resource = std::move(rows.resource);
  for (PublicationPtr& row : rows.publications) {
    const PublicationId id = row->id;
    changes.publications.emplace_back(id, std::move(row));
  }
  for (SubscriptionPtr& row : rows.subscriptions) {
    const LocalTag id = row->id;
    changes.subscriptions.emplace_back(id, std::move(row));
  }
  for (WatcherRecordPtr& row : rows.watchers) {
    const WatcherUri watcher = row->watcher;
    changes.watchers.emplace_back(watcher, std::move(row));
  }
  for (AnswerRecordPtr& row : rows.answers) {
    const RequestKey key = row->key;
    changes.answers.emplace_back(key, std::move(row));
  }
  return changes;
}

}  // namespace presence
