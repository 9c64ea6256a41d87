#include "presence-core/engine/effects.h"

#include <algorithm>

namespace presence {
namespace {

template <typename Key, typename Row>
const Row* FindChange(const std::vector<std::pair<Key, Row>>& changes, const Key& key) {
  for (const auto& [changed, row] : changes) {
    if (changed == key) return &row;
  }
  return nullptr;
}

template <typename Key, typename Row>
void Set(std::vector<std::pair<Key, Row>>& changes, const Key& key, Row row) {
  for (auto& [changed, present] : changes) {
    if (changed == key) {
      present = std::move(row);
      return;
    }
  }
  changes.emplace_back(key, std::move(row));
}

bool IsWatching(const SubscriptionPtr& row) {
  return row != nullptr && row->is_live() && !row->event.is_winfo();
}

}  // namespace

Effects::Effects(const Resource& base)
    : base_(base),
      subscription_count_(base.subscriptions().size()),
      live_subscriptions_(base.live_subscriptions()) {
  changes_.key = base.key();
}

std::vector<PublicationPtr> Effects::Publications() const {
  std::vector<PublicationPtr> publications;
  for (const PublicationPtr& row : base_.publications()) {
    const PublicationPtr* changed = FindChange(changes_.publications, row->id);
    if (changed == nullptr) {
      publications.push_back(row);
    } else if (*changed != nullptr) {
      publications.push_back(*changed);
    }
  }
  for (const auto& [id, row] : changes_.publications) {
    if (row != nullptr && base_.FindPublication(id) == nullptr) publications.push_back(row);
  }
  return publications;
}

PublicationPtr Effects::FindPublication(PublicationId id) const {
  const PublicationPtr* changed = FindChange(changes_.publications, id);
  return changed != nullptr ? *changed : base_.FindPublication(id);
}

SubscriptionPtr Effects::FindSubscription(const LocalTag& id) const {
  const SubscriptionPtr* changed = FindChange(changes_.subscriptions, id);
  return changed != nullptr ? *changed : base_.FindSubscription(id);
}

std::vector<SubscriptionPtr> Effects::FindByCallId(const WatcherUri& watcher,
                                                   std::string_view call_id) const {
  std::vector<SubscriptionPtr> found = base_.FindByCallId(watcher, call_id);
  std::erase_if(found, [this](const SubscriptionPtr& row) {
    return FindChange(changes_.subscriptions, row->id) != nullptr;
  });
  for (const auto& [id, row] : changes_.subscriptions) {
    if (row != nullptr && !row->is_native() && row->watcher == watcher &&
        row->dialog.call_id() == call_id) {
      found.push_back(row);
    }
  }
  return found;
}

WatcherRecordPtr Effects::FindWatcher(const WatcherUri& watcher) const {
  const WatcherRecordPtr* changed = FindChange(changes_.watchers, watcher);
  return changed != nullptr ? *changed : base_.FindWatcher(watcher);
}

AnswerRecordPtr Effects::FindAnswer(const RequestKey& key) const {
  if (key.empty()) return nullptr;
  const AnswerRecordPtr* changed = FindChange(changes_.answers, key);
  return changed != nullptr ? *changed : base_.FindAnswer(key);
}

StoredDocumentPtr Effects::FindDocument(const DocumentName& name) const {
  const StoredDocumentPtr* changed = FindChange(changes_.documents, name);
  return changed != nullptr ? *changed : base_.FindDocument(name);
}

size_t Effects::document_count() const {
  size_t count = base_.documents().size();
  for (const auto& [name, row] : changes_.documents) {
    count -= base_.FindDocument(name) != nullptr ? 1 : 0;
    count += row != nullptr ? 1 : 0;
  }
  return count;
}

void Effects::Put(PublicationPtr row) {
  const PublicationId id = row->id;
  Set(changes_.publications, id, std::move(row));
}

void Effects::ErasePublication(PublicationId id) {
  Set(changes_.publications, id, PublicationPtr());
}

void Effects::Put(SubscriptionPtr row) {
  const LocalTag id = row->id;
  SetSubscription(id, std::move(row));
}

void Effects::EraseSubscription(const LocalTag& id) { SetSubscription(id, SubscriptionPtr()); }

void Effects::SetSubscription(const LocalTag& id, SubscriptionPtr row) {
  const SubscriptionPtr old = FindSubscription(id);
  subscription_count_ -= old != nullptr ? 1 : 0;
  subscription_count_ += row != nullptr ? 1 : 0;
  live_subscriptions_ -= IsWatching(old) ? 1 : 0;
  live_subscriptions_ += IsWatching(row) ? 1 : 0;
  Set(changes_.subscriptions, id, std::move(row));
}

void Effects::Put(WatcherRecordPtr row) {
  const WatcherUri watcher = row->watcher;
  Set(changes_.watchers, watcher, std::move(row));
}

void Effects::EraseWatcher(const WatcherUri& watcher) {
  Set(changes_.watchers, watcher, WatcherRecordPtr());
}

void Effects::Put(AnswerRecordPtr row) {
  const RequestKey key = row->key;
  Set(changes_.answers, key, std::move(row));
}

void Effects::EraseAnswer(const RequestKey& key) { Set(changes_.answers, key, AnswerRecordPtr()); }

void Effects::Put(StoredDocumentPtr row) {
  const DocumentName name = row->name;
  Set(changes_.documents, name, std::move(row));
}

void Effects::EraseDocument(const DocumentName& name) {
  Set(changes_.documents, name, StoredDocumentPtr());
}

ResourceRow& Effects::MutableRow() {
  if (!changes_.resource.has_value()) changes_.resource = base_.row();
  return *changes_.resource;
}

uint64_t Effects::NextOrdinal() { return MutableRow().next_ordinal++; }

uint64_t Effects::NextTransientOrdinal(absl::Time now) const {
  // Above all that are ever stored, rising with time, and so not used in an earlier life either.
  constexpr uint64_t kFirst = 1ull << 62;
  uint64_t ordinal = kFirst + static_cast<uint64_t>(std::max<int64_t>(absl::ToUnixNanos(now), 0));
  const auto& rows = base_.subscriptions();
  if (!rows.empty()) ordinal = std::max(ordinal, rows.rbegin()->first + 1);
  for (const auto& [id, row] : changes_.subscriptions) {
    if (row != nullptr) ordinal = std::max(ordinal, row->ordinal + 1);
  }
  return ordinal;
}

void Effects::PassOrdinal(uint64_t used) {
  if (used >= row().next_ordinal) MutableRow().next_ordinal = used + 1;
}

void Effects::ChangeState(NotifyCause cause, std::string sender) {
  ResourceRow& row = MutableRow();
  ++row.revision.seq;
  row.last_cause = cause;
  row.last_sender = std::move(sender);
  due_.state_changed = true;
}

void Effects::Tell(const LocalTag& id, NotifyCause cause, bool supersedes) {
  due_.tell.push_back({id, cause, supersedes});
  // What is not stored is not told in another life, either.
  const SubscriptionPtr row = FindSubscription(id);
  if (row == nullptr || !row->is_transient) Unsettle();
}

void Effects::Settle() {
  if (!row().is_settled()) MutableRow().settled_seq = row().revision.seq;
}

void Effects::Claim() {
  MutableRow().version = base_.row().version + 1;
  changes_.is_claim = true;
}

void Effects::Unsettle() {
  if (row().is_settled()) MutableRow().settled_seq.reset();
}

void Effects::TakeAsTold(const LocalTag& id) { due_.told.emplace_back(id, row().revision.seq); }

void Effects::ReportWatcher(WinfoEntry entry) {
  due_.winfo.push_back(std::move(entry));
  if (base_.has_winfo_subscriptions()) Unsettle();
}

RowChanges Effects::JournalRows(StateKinds kept) const {
  const auto is_transient = [this](const std::pair<LocalTag, SubscriptionPtr>& change) {
    const SubscriptionPtr row =
        change.second != nullptr ? change.second : base_.FindSubscription(change.first);
    return row == nullptr || row->is_transient;
  };
  const auto is_about_other = [&](const std::pair<RequestKey, AnswerRecordPtr>& change) {
    const AnswerRecordPtr row =
        change.second != nullptr ? change.second : base_.FindAnswer(change.first);
    return row == nullptr || (row->about.has_value() && !kept.contains(*row->about));
  };
  RowChanges rows = changes_;
  if (!kept.publications) {
    rows.publications.clear();
    rows.documents.clear();
  }
  if (!kept.subscriptions) rows.subscriptions.clear();
  if (!kept.decisions) rows.watchers.clear();
  std::erase_if(rows.answers, is_about_other);
  std::erase_if(rows.subscriptions, is_transient);
  if (rows.count() == 0 && !kept.is_all()) rows.resource.reset();
  for (const auto& [id, row] : rows.subscriptions) {
    const SubscriptionPtr told = row == nullptr ? nullptr : base_.FindSubscription(id);
    if (told != nullptr && row->cseq_limit > told->cseq_limit) rows.raises_cseq_limit = true;
  }
  return rows;
}

}  // namespace presence
