#include "presence-core/engine/resource.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"

namespace presence {
namespace {

uint64_t WatcherHash(const WatcherUri& watcher) { return std::hash<std::string>()(watcher.text()); }

uint64_t CallIdHash(const WatcherUri& watcher, std::string_view call_id) {
  return absl::HashOf(WatcherHash(watcher), std::hash<std::string_view>()(call_id));
}

bool CountsAsWatching(const Subscription& row) { return row.is_live() && !row.event.is_winfo(); }

}  // namespace

PublicationPtr Resource::FindPublication(PublicationId id) const {
  for (const PublicationPtr& publication : publications_) {
    if (publication->id == id) return publication;
  }
  return nullptr;
}

StoredDocumentPtr Resource::FindDocument(const DocumentName& name) const {
  for (const StoredDocumentPtr& document : documents_) {
    if (document->name == name) return document;
  }
  return nullptr;
}

SubscriptionPtr Resource::FindSubscription(const LocalTag& id) const {
  auto it = ordinals_.find(id);
  return it == ordinals_.end() ? nullptr : subscriptions_.at(it->second);
}

std::vector<SubscriptionPtr> Resource::FindByCallId(const WatcherUri& watcher,
                                                    std::string_view call_id) const {
  std::vector<SubscriptionPtr> found;
  auto it = by_call_id_.find(CallIdHash(watcher, call_id));
  if (it == by_call_id_.end()) return found;
  for (uint64_t ordinal : it->second) {
    const SubscriptionPtr& row = subscriptions_.at(ordinal);
    if (row->watcher == watcher && row->dialog.call_id() == call_id) found.push_back(row);
  }
  return found;
}

WatcherRecordPtr Resource::FindWatcher(const WatcherUri& watcher) const {
  auto it = watchers_.find(watcher);
  return it == watchers_.end() ? nullptr : it->second;
}

AnswerRecordPtr Resource::FindAnswer(const RequestKey& key) const {
  auto it = answers_.find(key);
  return it == answers_.end() ? nullptr : it->second;
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
  for (const auto& [id, row] : changes.subscriptions) Erase(id);
  for (const auto& [id, row] : changes.subscriptions) {
    if (row != nullptr) Put(id, row);
  }
  for (const auto& [watcher, row] : changes.watchers) Set(watcher, row);
  for (const auto& [key, row] : changes.answers) Set(key, row);
  for (const auto& [name, row] : changes.documents) Set(name, row);
}

void Resource::Set(const DocumentName& name, const StoredDocumentPtr& row) {
  const auto it = std::lower_bound(
      documents_.begin(), documents_.end(), name,
      [](const StoredDocumentPtr& document, const DocumentName& n) { return document->name < n; });
  const bool is_there = it != documents_.end() && (*it)->name == name;
  if (row == nullptr) {
    if (is_there) documents_.erase(it);
  } else if (is_there) {
    *it = row;
  } else {
    documents_.insert(it, row);
  }
}

void Resource::Set(const WatcherUri& watcher, const WatcherRecordPtr& row) {
  if (WatcherRecordPtr old = FindWatcher(watcher)) {
    if (old->is_waiting()) waiting_.erase(old->ordinal);
    watchers_.erase(watcher);
  }
  if (row == nullptr) return;
  if (row->is_waiting()) waiting_[row->ordinal] = row;
  watchers_[watcher] = row;
}

void Resource::Set(const RequestKey& key, const AnswerRecordPtr& row) {
  if (AnswerRecordPtr old = FindAnswer(key)) {
    answers_by_time_.erase({old->kept_until, key});
    answers_.erase(key);
  }
  if (row == nullptr) return;
  answers_by_time_.emplace(row->kept_until, key);
  answers_[key] = row;
}

size_t Resource::CountOf(const WatcherUri& watcher) const {
  auto it = count_by_watcher_.find(WatcherHash(watcher));
  return it == count_by_watcher_.end() ? 0 : it->second;
}

void Resource::Put(const LocalTag& id, SubscriptionPtr row) {
  ++count_by_watcher_[WatcherHash(row->watcher)];
  winfo_subscriptions_ += row->event.is_winfo() ? 1 : 0;
  if (CountsAsWatching(*row)) {
    ++live_subscriptions_;
    authorized_subscriptions_ += row->is_authorized ? 1 : 0;
  }
  ordinals_[id] = row->ordinal;
  if (!row->is_native())
    by_call_id_[CallIdHash(row->watcher, row->dialog.call_id())].push_back(row->ordinal);
  subscriptions_[row->ordinal] = std::move(row);
}

void Resource::Erase(const LocalTag& id) {
  auto found = ordinals_.find(id);
  if (found == ordinals_.end()) return;
  auto it = subscriptions_.find(found->second);
  const SubscriptionPtr row = it->second;
  winfo_subscriptions_ -= row->event.is_winfo() ? 1 : 0;
  if (CountsAsWatching(*row)) {
    --live_subscriptions_;
    authorized_subscriptions_ -= row->is_authorized ? 1 : 0;
  }
  auto count = count_by_watcher_.find(WatcherHash(row->watcher));
  if (--count->second == 0) count_by_watcher_.erase(count);
  if (!row->is_native()) {
    auto by_call_id = by_call_id_.find(CallIdHash(row->watcher, row->dialog.call_id()));
    auto& ordinals = by_call_id->second;
    ordinals.erase(std::find(ordinals.begin(), ordinals.end(), row->ordinal));
    if (ordinals.empty()) by_call_id_.erase(by_call_id);
  }
  subscriptions_.erase(it);
  ordinals_.erase(found);
}

std::vector<RowChanges> Resource::ChangesToLoad(ResourceRows rows, size_t most) {
  std::vector<RowChanges> slices(1);
  slices[0].key = rows.key;
  slices[0].resource = std::move(rows.resource);
  size_t count = 0;
  const auto slice = [&]() -> RowChanges& {
    if (count++ == most) {
      slices.emplace_back().key = rows.key;
      count = 1;
    }
    return slices.back();
  };
  for (PublicationPtr& row : rows.publications) {
    const PublicationId id = row->id;
    slice().publications.emplace_back(id, std::move(row));
  }
  for (SubscriptionPtr& row : rows.subscriptions) {
    const LocalTag id = row->id;
    slice().subscriptions.emplace_back(id, std::move(row));
  }
  for (WatcherRecordPtr& row : rows.watchers) {
    const WatcherUri watcher = row->watcher;
    slice().watchers.emplace_back(watcher, std::move(row));
  }
  for (AnswerRecordPtr& row : rows.answers) {
    const RequestKey key = row->key;
    slice().answers.emplace_back(key, std::move(row));
  }
  for (StoredDocumentPtr& row : rows.documents) {
    const DocumentName name = row->name;
    slice().documents.emplace_back(name, std::move(row));
  }
  return slices;
}

namespace {

// Looks for the rows of `wanted` among `rows`; a row that is not there is a deletion.
template <typename Key, typename Row, typename KeyOf>
std::vector<std::pair<Key, Row>> Pick(const std::vector<std::pair<Key, Row>>& wanted,
                                      const std::vector<Row>& rows, KeyOf key_of) {
  std::vector<std::pair<Key, Row>> picked;
  absl::flat_hash_map<Key, size_t> places;
  for (const auto& [key, row] : wanted) {
    places[key] = picked.size();
    picked.emplace_back(key, Row());
  }
  for (const Row& row : rows) {
    auto place = places.find(key_of(*row));
    if (place != places.end()) picked[place->second].second = row;
  }
  return picked;
}

}  // namespace

RowChanges Resource::Settle(const RowChanges& in_doubt, ResourceRows rows) const {
  RowChanges changes;
  changes.key = key_;
  if (in_doubt.resource.has_value()) {
    // The row may be of an earlier life: the step up at the start was told but never stored.
    const uint64_t seq = std::max(rows.resource.revision.seq, row_.revision.seq);
    // A mark that the next start would believe must be known here, or nobody would take it back.
    const bool is_of_this_life = rows.resource.revision.epoch == row_.revision.epoch;
    const bool is_settled = rows.resource.is_settled() && (is_of_this_life || row_.is_settled());
    rows.resource.settled_seq = is_settled ? std::optional(seq) : std::nullopt;
    rows.resource.revision = {row_.revision.epoch, seq};
    rows.resource.next_ordinal = std::max(rows.resource.next_ordinal, row_.next_ordinal);
    changes.resource = std::move(rows.resource);
  }
  changes.publications =
      Pick(in_doubt.publications, rows.publications, [](const Publication& p) { return p.id; });
  changes.subscriptions =
      Pick(in_doubt.subscriptions, rows.subscriptions, [](const Subscription& s) { return s.id; });
  changes.watchers =
      Pick(in_doubt.watchers, rows.watchers, [](const WatcherRecord& w) { return w.watcher; });
  changes.answers =
      Pick(in_doubt.answers, rows.answers, [](const AnswerRecord& a) { return a.key; });
  changes.documents =
      Pick(in_doubt.documents, rows.documents, [](const StoredDocument& d) { return d.name; });
  return changes;
}

namespace {

// A time that went through a database has lost what is below its resolution.
bool IsSameTime(absl::Time a, absl::Time b) {
  return a == b || absl::AbsDuration(a - b) < absl::Milliseconds(1);
}

bool IsSame(const Publication& a, const Publication& b) {
  return a.etag == b.etag && IsSameTime(a.expires_at, b.expires_at) &&
         a.last_request == b.last_request && a.is_answer_delivered == b.is_answer_delivered &&
         a.document == b.document;
}
bool IsSame(const Subscription& a, const Subscription& b) {
  return a.ordinal == b.ordinal && a.state == b.state && a.reason == b.reason &&
         IsSameTime(a.expires_at, b.expires_at) && a.dialog == b.dialog &&
         a.remote_cseq == b.remote_cseq && a.cseq_limit == b.cseq_limit &&
         a.is_authorized == b.is_authorized && a.was_approved == b.was_approved &&
         a.last_request == b.last_request && a.granted == b.granted;
}
bool IsSame(const WatcherRecord& a, const WatcherRecord& b) {
  return a.decision == b.decision && a.ordinal == b.ordinal &&
         IsSameTime(a.waits_until, b.waits_until);
}
bool IsSame(const AnswerRecord& a, const AnswerRecord& b) {
  return a.content == b.content && a.etag == b.etag && IsSameTime(a.kept_until, b.kept_until);
}
bool IsSame(const StoredDocument& a, const StoredDocument& b) {
  return a.etag == b.etag && a.file_uri == b.file_uri && a.document == b.document;
}

// Adds the rows of `to` that are other than what `find` has for their key; returns all their keys.
template <typename Key, typename Row, typename KeyOf, typename Find>
absl::flat_hash_set<Key> Compare(const std::vector<Row>& to, KeyOf key_of, Find find,
                                 std::vector<std::pair<Key, Row>>& changes) {
  absl::flat_hash_set<Key> keys;
  for (const Row& row : to) {
    const Key key = key_of(*row);
    keys.insert(key);
    const Row known = find(key);
    if (known == nullptr || !IsSame(*known, *row)) changes.emplace_back(key, row);
  }
  return keys;
}

}  // namespace

RowChanges Resource::ChangesTo(ResourceRows rows) const {
  RowChanges changes;
  changes.key = key_;
  rows.resource.revision.seq = std::max(rows.resource.revision.seq, row_.revision.seq);
  changes.resource = std::move(rows.resource);
  const auto ids = Compare(
      rows.publications, [](const Publication& p) { return p.id; },
      [this](PublicationId id) { return FindPublication(id); }, changes.publications);
  for (const PublicationPtr& row : publications_) {
    if (!ids.contains(row->id)) changes.publications.emplace_back(row->id, nullptr);
  }
  const auto tags = Compare(
      rows.subscriptions, [](const Subscription& s) { return s.id; },
      [this](const LocalTag& id) { return FindSubscription(id); }, changes.subscriptions);
  for (const auto& [ordinal, row] : subscriptions_) {
    if (row->is_transient || tags.contains(row->id)) continue;
    changes.subscriptions.emplace_back(row->id, nullptr);
  }
  const auto watchers = Compare(
      rows.watchers, [](const WatcherRecord& w) { return w.watcher; },
      [this](const WatcherUri& watcher) { return FindWatcher(watcher); }, changes.watchers);
  for (const auto& [watcher, row] : watchers_) {
    if (!watchers.contains(watcher)) changes.watchers.emplace_back(watcher, nullptr);
  }
  const auto answers = Compare(
      rows.answers, [](const AnswerRecord& a) { return a.key; },
      [this](const RequestKey& key) { return FindAnswer(key); }, changes.answers);
  for (const auto& [key, row] : answers_) {
    if (!answers.contains(key)) changes.answers.emplace_back(key, nullptr);
  }
  const auto names = Compare(
      rows.documents, [](const StoredDocument& d) { return d.name; },
      [this](const DocumentName& name) { return FindDocument(name); }, changes.documents);
  for (const StoredDocumentPtr& row : documents_) {
    if (!names.contains(row->name)) changes.documents.emplace_back(row->name, nullptr);
  }
  return changes;
}

}  // namespace presence
