#ifndef PRESENCE_TESTS_FAKES_STORED_ROWS_H_
#define PRESENCE_TESTS_FAKES_STORED_ROWS_H_

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "presence-core/storage/row_changes.h"

namespace presence {

// What a database would hold: the rows of every resource. Not thread-safe.
class StoredRows {
 public:
  void Write(const RowChanges& changes) {
    Tables& tables = resources_[changes.key];
    if (changes.resource.has_value()) tables.resource = *changes.resource;
    Merge(changes.publications, tables.publications);
    Merge(changes.subscriptions, tables.subscriptions);
    Merge(changes.watchers, tables.watchers);
    Merge(changes.answers, tables.answers);
    Merge(changes.documents, tables.documents);
  }

  // Whether a claim comes too late.
  bool HasMoved(const RowChanges& changes) const {
    if (!changes.is_claim) return false;
    const auto it = resources_.find(changes.key);
    const uint64_t version = it == resources_.end() ? 0 : it->second.resource.version;
    return changes.resource->version != version + 1;
  }

  // Subscriptions by age, the others by key.
  std::optional<ResourceRows> Find(const ResourceKey& key) const {
    const auto it = resources_.find(key);
    if (it == resources_.end()) return std::nullopt;
    return Read(key, it->second);
  }
  std::optional<ResourceKey> Find(const LocalTag& tag) const {
    for (const auto& [key, tables] : resources_) {
      if (tables.subscriptions.contains(tag)) return key;
    }
    return std::nullopt;
  }
  void VisitAll(absl::FunctionRef<void(ResourceRows)> visit) const {
    for (const auto& [key, tables] : resources_) visit(Read(key, tables));
  }
  // Resources.
  size_t size() const { return resources_.size(); }
  bool empty() const { return resources_.empty(); }
  bool contains(const ResourceKey& key) const { return resources_.contains(key); }

 private:
  struct Tables {
    ResourceRow resource;
    std::map<PublicationId, PublicationPtr> publications;
    std::map<LocalTag, SubscriptionPtr> subscriptions;
    std::map<WatcherUri, WatcherRecordPtr> watchers;
    std::map<RequestKey, AnswerRecordPtr> answers;
    std::map<DocumentName, StoredDocumentPtr> documents;
  };

  template <typename Key, typename Row>
  static void Merge(const std::vector<std::pair<Key, Row>>& changes, std::map<Key, Row>& rows) {
    for (const auto& [key, row] : changes) {
      if (row == nullptr) {
        rows.erase(key);
      } else {
        rows[key] = row;
      }
    }
  }
  template <typename Key, typename Row>
  static void Copy(const std::map<Key, Row>& from, std::vector<Row>& to) {
    for (const auto& [key, row] : from) to.push_back(row);
  }
  static ResourceRows Read(const ResourceKey& key, const Tables& tables) {
    ResourceRows rows;
    rows.key = key;
    rows.resource = tables.resource;
    Copy(tables.publications, rows.publications);
    Copy(tables.subscriptions, rows.subscriptions);
    Copy(tables.watchers, rows.watchers);
    Copy(tables.answers, rows.answers);
    Copy(tables.documents, rows.documents);
    std::sort(rows.subscriptions.begin(), rows.subscriptions.end(),
              [](const auto& a, const auto& b) { return a->ordinal < b->ordinal; });
    return rows;
  }

  std::map<ResourceKey, Tables> resources_;
};

}  // namespace presence

#endif  // PRESENCE_TESTS_FAKES_STORED_ROWS_H_
