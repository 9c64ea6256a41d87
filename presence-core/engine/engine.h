#ifndef PRESENCE_CORE_ENGINE_ENGINE_H_
#define PRESENCE_CORE_ENGINE_ENGINE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "presence-core/engine/command.h"
#include "presence-core/engine/document_cuts.h"
#include "presence-core/engine/engine_config.h"
#include "presence-core/engine/import.h"
#include "presence-core/engine/listing.h"
#include "presence-core/engine/lock_holds.h"
#include "presence-core/engine/watcher_link.h"
#include "presence-core/event/registry.h"
#include "presence-core/policy/policy_snapshot.h"
#include "presence-core/storage/journal.h"
#include "runtime/clock.h"
#include "runtime/executor.h"
#include "runtime/random.h"

namespace presence {

// What the engine has done since it started; each only rises, `..._now` and `max_...` excepted.
struct EngineCounters {
  uint64_t publishes = 0;
  uint64_t subscribes = 0;
  uint64_t instructions = 0;
  uint64_t notify_failures = 0;
  uint64_t coalesced = 0;  // visible changes that a watcher was never told by themselves
  uint64_t resynced = 0;   // dialogs that were told again after the start
  uint64_t settled = 0;    // resources written down as such
  uint64_t moved = 0;      // decided once more, because another process was faster
  uint64_t expired_publications = 0;
  uint64_t expired_subscriptions = 0;
  uint64_t resources_now = 0;
  uint64_t publications_now = 0;
  uint64_t subscriptions_now = 0;
  uint64_t resync_resources_now = 0;  // with dialogs that are still to be told again
  // What the stripes' locks were held for, by kind.
  std::array<LockHolds, kHoldKinds> lock_holds;
  const LockHolds& holds_for(Hold hold) const { return lock_holds[static_cast<size_t>(hold)]; }
};

// The heart of the core: holds every resource, decides every command, and tells every watcher.
//
// Safe to call from any thread; no call blocks on storage or on a watcher. A `done` is called once:
// before the call returns, or later on a thread of the journal; never under a lock. What a `done`
// is told is durable, as far as the storage mode promises (storage/journal.h).
//
// Inside (stripe.h): resources live in mutex-striped maps. A command is decided by pure functions
// (decide.h) against what is durable, appended to the journal, and applied when that is done;
// commands for a resource whose append is outstanding wait in its inbox and are then decided as one
// batch. The notifier (notifier.h) tells the watchers, on `executor`, in slices.
//
// With `notifiers` the stripes share those for telling their watchers; without, `executor` does
// that too. `cuts`, if given, hears of documents that could not show everything. All executors must
// have stopped running tasks before the engine is destroyed.
class Engine {
 public:
  template <typename T>
  using Done = absl::AnyInvocable<void(absl::StatusOr<T>)>;

  Engine(const EngineConfig& config, const EventRegistry& registry,
         std::shared_ptr<const PolicySnapshot> policy, Journal& journal, Executor& executor,
         const Clock& clock, Random& random, uint64_t epoch, std::vector<Executor*> notifiers = {},
         DocumentCuts* cuts = nullptr);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // What Start has taken over so far.
  struct Loaded {
    uint64_t resources = 0;
    uint64_t publications = 0;
    uint64_t subscriptions = 0;
    uint64_t others = 0;     // decisions about watchers, remembered answers, documents
    uint64_t to_resync = 0;  // subscriptions that may have missed a NOTIFY
    uint64_t rows() const { return publications + subscriptions + others; }
  };
  // Takes over what the journal holds, and then serves: call once, before anything else. `progress`
  // is called after each resource.
  absl::StatusOr<Loaded> Start(absl::FunctionRef<void(const Loaded&)> progress = [](const Loaded&) {
  });

  // --- Commands. Errors are those of the RPC of the same name (proto/presence/v1/presence.proto).

  void Publish(PublishCommand command, Done<PublishOutcome> done);
  void Subscribe(SubscribeCommand command, Done<SubscribeOutcome> done);
  void Watch(WatchCommand command, Done<WatchOutcome> done);
  // Ends a subscription with a last NOTIFY. Errors: SUBSCRIPTION_UNKNOWN.
  void EndSubscription(std::string_view id, TerminationReason reason, Done<bool> done);
  // Ends a native watcher whose stream has gone: nothing more is delivered for it.
  void ForgetWatch(LocalTag id);
  void DecideWatcher(DecideWatcherCommand command, Done<RefreshOutcome> done);
  // Takes over state that was held elsewhere. Errors: INVALID_FIELD, QUOTA_EXCEEDED,
  // WATCHER_BLOCKED, UNKNOWN_EVENT, and those of a publication's document.
  void Import(ImportCommand command, Done<ImportOutcome> done);
  // Asks the policy again about every watcher of the resource.
  void Reauthorize(const ResourceKey& key, Done<RefreshOutcome> done);
  // Sends the present state to every active watcher of the resource, after reading publications and
  // documents again from where they are kept, for somebody else may have changed them there.
  // `named` is then called by that URI; one that is not there is no error. Errors: BAD_DOCUMENT,
  // UNSUPPORTED_CONTENT, DOCUMENT_TOO_LARGE   of what is there now, and then nothing is taken over.
  void ReloadState(const ResourceKey& key, std::optional<NamedDocument> named,
                   Done<RefreshOutcome> done);
  // Hard state. A change is at once part of the owner's presence.
  void PutDocument(PutDocumentCommand command, Done<DocumentView> done);
  void RemoveDocument(RemoveDocumentCommand command, Done<bool> done);
  // Removes what has expired, also with timers off.
  void Cleanup(CleanupScope scope, Done<CleanupOutcome> done);

  // A new policy: weighed by every command from now on. Live subscriptions keep what they have
  // until Reauthorize is called for their resource.
  void SetPolicy(std::shared_ptr<const PolicySnapshot> policy);

  // --- Reading. Answers are of durable state and never wait.

  // The state as `watcher` may see it (null: everything), or the publications of one etag or
  // contact.
  absl::StatusOr<StateView> GetState(const StateQuery& query) const;
  absl::StatusOr<AuthorizationView> GetAuthorization(const ResourceKey& key, const EventName& event,
                                                     const WatcherUri& watcher) const;
  uint32_t CountSubscribers(const ResourceKey& key) const;
  // Errors: PUBLICATION_UNKNOWN.
  void GetDocument(const PresentityUri& owner, const DocumentName& name, Done<DocumentView> done);
  // OK when it may be stored as hard state.
  absl::Status CheckHardState(const PresentityUri& owner, const Document& document) const;
  Page<DocumentView> ListDocuments(const DocumentFilter& filter) const;
  Page<PublicationView> ListPublications(const PublicationFilter& filter) const;
  Page<SubscriptionView> ListSubscriptions(const SubscriptionFilter& filter) const;
  Page<WatcherView> ListWatchers(const WatcherFilter& filter) const;
  // What is remembered of watchers besides their subscriptions, of all resources.
  Page<WatcherRecordView> ListWatcherRecords(const WatcherRecordFilter& filter) const;

  // --- Links: how NOTIFYs leave, and how their answers come back.

  // From now on instructions for dialogs of `name` may be delivered to `link`, at most `credit` and
  // what AddCredit adds.
  using LinkId = uint64_t;
  LinkId AttachLink(LinkName name, WatcherLink& link, size_t credit);
  void AddCredit(LinkId link, size_t credit);
  // Afterwards nothing is delivered to the link any more, and none of its calls is running.
  void DetachLink(LinkId link);

  // A gateway is back and still works on `in_flight`: every other unanswered NOTIFY of dialogs of
  // its group is taken as lost, and its watcher is told anew. What is parked on one of its
  // connections is tried again: it may have been looked for at another gateway meanwhile.
  struct InFlight {
    LocalTag subscription;
    uint32_t cseq = 0;
    friend bool operator==(const InFlight&, const InFlight&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const InFlight& f) {
      return H::combine(std::move(h), f.subscription, f.cseq);
    }
  };
  void Reconcile(const LinkName& name, absl::flat_hash_set<InFlight> in_flight);

  // What became of NOTIFYs. Reports that match nothing in flight are ignored: the dialog has moved
  // on.
  void Report(std::vector<NotifyReport> reports);

  // --- Other processes, where the journal is shared (engine_shared.cc says how that works).

  // Others have changed these resources: looks at them, and tells the watchers that are here.
  void OnChangedElsewhere(const std::vector<ResourceKey>& keys);
  // The same for all resources, when it may have been missed what others changed. Blocks, as Start.
  absl::Status TakeOverAll();
  // `done` when all that any process was answered before is seen by readers here. At once where
  // this is the only one.
  void Look(const ResourceKey& key, Done<bool> done);
  // From now on this process instructs the dialogs of a gateway group, and nobody else. They are
  // adopted and told again, or resumed if nobody else has had the group since it was left here, and
  // then they go on where they were.
  void AdoptGroup(const std::string& group);
  void ResumeGroup(const std::string& group);
  void LeaveGroup(const std::string& group);

  // --- Facts.

  uint64_t epoch() const;
  const EngineConfig& config() const;
  const EventRegistry& registry() const;
  EngineCounters counters() const;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_ENGINE_H_
