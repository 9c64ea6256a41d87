#ifndef PRESENCE_CORE_ENGINE_RESOURCE_H_
#define PRESENCE_CORE_ENGINE_RESOURCE_H_

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "presence-core/storage/row_changes.h"

namespace presence {

// A resource is one presentity's state of one event package together with everybody who watches it,
// and it is the unit of order: whatever happens to it happens one after the other.
//
//      command ──Decide(resource, command, now)──> Effects ──journal──> Apply(rows) ──> resource
//                        (decide.h: pure)          (effects.h)           (here)
//
// A Resource holds durable rows and nothing else. It changes only in Apply, by whole rows, after
// the journal has said that they are durable; so whoever reads it - a reader, the notifier, the
// next decision - sees durable state, and replaying the same rows gives the same resource. What has
// been told to whom is not state of the resource but of this process, and lives in NotifyState
// (notifier.h).
//
// Invariants:
//   - revision.seq rises with every visible change and never falls, whoever owns the resource;
//   - an entity-tag names at most one publication, a local tag at most one subscription;
//   - ordinals rise with creation, so walking by ordinal walks by age and never meets a row twice;
//   - whatever there may be ten thousand of can be found, or walked in slices, without a look at
//     the rest: a lock is held for a slice.
//
// Not thread-safe: its stripe guards it (stripe.h).
class Resource {
 public:
  Resource(ResourceKey key, ResourceRow row) : key_(std::move(key)), row_(std::move(row)) {}

  const ResourceKey& key() const { return key_; }
  const ResourceRow& row() const { return row_; }

  // Oldest first; at most a few dozen, so a list is searched as fast as a map.
  const std::vector<PublicationPtr>& publications() const { return publications_; }
  PublicationPtr FindPublication(PublicationId id) const;

  // By name; as few.
  const std::vector<StoredDocumentPtr>& documents() const { return documents_; }
  StoredDocumentPtr FindDocument(const DocumentName& name) const;

  // By ordinal, terminating ones included.
  const absl::btree_map<uint64_t, SubscriptionPtr>& subscriptions() const { return subscriptions_; }
  SubscriptionPtr FindSubscription(const LocalTag& id) const;
  // The dialogs of this watcher with this Call-ID, at most as many as one watcher may have.
  std::vector<SubscriptionPtr> FindByCallId(const WatcherUri& watcher,
                                            std::string_view call_id) const;
  // Subscriptions of this watcher, terminating ones included.
  size_t CountOf(const WatcherUri& watcher) const;
  // Live subscriptions to the state itself, winfo not counted.
  uint32_t live_subscriptions() const { return live_subscriptions_; }
  // Those of them that may see it.
  uint32_t authorized_subscriptions() const { return authorized_subscriptions_; }

  // Whether anybody watches the watchers.
  bool has_winfo_subscriptions() const { return winfo_subscriptions_ > 0; }

  // In an order that a list can be left off and taken up in.
  const absl::btree_map<WatcherUri, WatcherRecordPtr>& watchers() const { return watchers_; }
  WatcherRecordPtr FindWatcher(const WatcherUri& watcher) const;
  // Those of them that wait, by the ordinal they have meanwhile.
  const absl::btree_map<uint64_t, WatcherRecordPtr>& waiting() const { return waiting_; }
  AnswerRecordPtr FindAnswer(const RequestKey& key) const;
  // Whose time is over first comes first.
  using AnswersByTime = absl::btree_set<std::pair<absl::Time, RequestKey>>;
  const AnswersByTime& answers_by_time() const { return answers_by_time_; }

  // True when there is nothing to remember but the revision.
  bool is_empty() const {
    return publications_.empty() && subscriptions_.empty() && watchers_.empty() &&
           answers_.empty() && documents_.empty();
  }

  // Makes the rows part of the resource. The rows are durable.
  void Apply(const RowChanges& changes);

  // Of `rows`, what the journal holds, those that an append of `in_doubt` may have changed, for
  // Apply. This is the only writer, so nothing else can be other than it is here.
  RowChanges Settle(const RowChanges& in_doubt, ResourceRows rows) const;

  // The rows that lead from here to `rows`, what the journal holds, whoever wrote it. What is never
  // stored stays.
  RowChanges ChangesTo(ResourceRows rows) const;

  // The rows that lead from an empty resource to `rows`, for Apply, at most `most` at a time.
  static std::vector<RowChanges> ChangesToLoad(ResourceRows rows, size_t most);

 private:
  void Put(const LocalTag& id, SubscriptionPtr row);
  void Erase(const LocalTag& id);
  void Set(const WatcherUri& watcher, const WatcherRecordPtr& row);
  void Set(const RequestKey& key, const AnswerRecordPtr& row);
  void Set(const DocumentName& name, const StoredDocumentPtr& row);

  const ResourceKey key_;
  ResourceRow row_;
  std::vector<PublicationPtr> publications_;
  std::vector<StoredDocumentPtr> documents_;
  absl::btree_map<uint64_t, SubscriptionPtr> subscriptions_;
  absl::flat_hash_map<LocalTag, uint64_t> ordinals_;
  // By the hash of watcher and Call-ID: of a Call-ID alone strangers could have any number.
  absl::flat_hash_map<uint64_t, absl::InlinedVector<uint64_t, 1>> by_call_id_;
  // How many subscriptions a watcher has, by the hash of its address: near enough for a limit.
  absl::flat_hash_map<uint64_t, uint32_t> count_by_watcher_;
  absl::btree_map<WatcherUri, WatcherRecordPtr> watchers_;
  absl::btree_map<uint64_t, WatcherRecordPtr> waiting_;
  absl::flat_hash_map<RequestKey, AnswerRecordPtr> answers_;
  AnswersByTime answers_by_time_;
  uint32_t live_subscriptions_ = 0;
  uint32_t authorized_subscriptions_ = 0;
  uint32_t winfo_subscriptions_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_RESOURCE_H_
