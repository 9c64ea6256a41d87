#ifndef PRESENCE_CORE_ENGINE_EFFECTS_H_
#define PRESENCE_CORE_ENGINE_EFFECTS_H_

#include <string>
#include <utility>
#include <vector>

#include "presence-core/engine/resource.h"
#include "presence-core/event/winfo.h"

namespace presence {

// What deciding one command, or a batch of them, would change: rows, and who is due to be told.
// Reads through to the resource as if the changes were made already, so the second command of a
// batch is decided on top of the first while the resource itself stays as it is until the journal
// is done.
//
// Holds a reference to the resource. Not thread-safe.
class Effects {
 public:
  explicit Effects(const Resource& base);

  // --- Reading: the resource with these effects.

  const ResourceKey& key() const { return base_.key(); }
  const ResourceRow& row() const {
    return changes_.resource.has_value() ? *changes_.resource : base_.row();
  }
  std::vector<PublicationPtr> Publications() const;
  PublicationPtr FindPublication(PublicationId id) const;
  SubscriptionPtr FindSubscription(const LocalTag& id) const;
  std::vector<SubscriptionPtr> FindByCallId(const WatcherUri& watcher,
                                            std::string_view call_id) const;
  WatcherRecordPtr FindWatcher(const WatcherUri& watcher) const;
  AnswerRecordPtr FindAnswer(const RequestKey& key) const;
  StoredDocumentPtr FindDocument(const DocumentName& name) const;
  size_t document_count() const;
  size_t subscription_count() const { return subscription_count_; }
  uint32_t live_subscriptions() const { return live_subscriptions_; }
  const Resource& base() const { return base_; }

  // --- Rows. A row of the same key put earlier is overtaken.

  void Put(PublicationPtr row);
  void ErasePublication(PublicationId id);
  void Put(SubscriptionPtr row);
  void EraseSubscription(const LocalTag& id);
  void Put(WatcherRecordPtr row);
  void EraseWatcher(const WatcherUri& watcher);
  void Put(AnswerRecordPtr row);
  void EraseAnswer(const RequestKey& key);
  void Put(StoredDocumentPtr row);
  void EraseDocument(const DocumentName& name);
  uint64_t NextOrdinal();
  // For a row that is never stored: no other process must know that the number is taken.
  uint64_t NextTransientOrdinal(absl::Time now) const;
  // A row with this one has come from elsewhere: those to come are above it.
  void PassOrdinal(uint64_t used);

  // A decision that goes through many rows says how many, so that it can be held to a slice.
  void CountRows(size_t seen) { rows_seen_ += seen; }
  // What has been gone through, and what applying will go through.
  size_t weight() const { return rows_seen_ + changes_.count() + due_.winfo.size(); }

  // --- Who is due.

  // The state has changed: the revision rises and every active watcher is due, but not the one
  // whose Contact is `sender`.
  void ChangeState(NotifyCause cause, std::string sender);
  // This one dialog is due whatever it knows. `supersedes`: a SUBSCRIBE proved it alive, so an
  // unanswered NOTIFY is not waited for.
  void Tell(const LocalTag& id, NotifyCause cause, bool supersedes);
  // This new dialog is taken to know the present state.
  void TakeAsTold(const LocalTag& id);
  // Watchers of the watchers are due this.
  void ReportWatcher(WinfoEntry entry);
  // Whoever is stored knows all it is owed.
  void Settle();
  // They are to be written in place of the version that they were decided on, and of no other.
  void Claim();

  struct Due {
    bool state_changed = false;
    struct Telling {
      LocalTag id;
      NotifyCause cause;
      bool supersedes;
    };
    std::vector<Telling> tell;
    // With the seq that each knows.
    std::vector<std::pair<LocalTag, uint64_t>> told;
    std::vector<WinfoEntry> winfo;
    // Who watches has changed in ways that are not known: watchers of the watchers start anew.
    bool is_winfo_reset = false;
  };

  const RowChanges& changes() const { return changes_; }
  const Due& due() const { return due_; }
  bool owes_nothing() const {
    return due_.tell.empty() && due_.winfo.empty() && !due_.state_changed;
  }
  bool empty() const { return changes_.empty() && owes_nothing(); }
  // The rows to make durable, of the kinds that are `kept`: those of transient subscriptions are
  // not, and a resource row that no other row goes with only where everything is kept. What it says
  // is only worth as much as they are, and an epoch is above all that were told before.
  RowChanges JournalRows(StateKinds kept) const;

 private:
  ResourceRow& MutableRow();
  void Unsettle();

  void SetSubscription(const LocalTag& id, SubscriptionPtr row);

  const Resource& base_;
  RowChanges changes_;
  Due due_;
  size_t subscription_count_;
  uint32_t live_subscriptions_;
  size_t rows_seen_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_EFFECTS_H_
