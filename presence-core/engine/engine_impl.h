#ifndef PRESENCE_CORE_ENGINE_ENGINE_IMPL_H_
#define PRESENCE_CORE_ENGINE_ENGINE_IMPL_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "presence-core/engine/decide.h"
#include "presence-core/engine/dialog_aliases.h"
#include "presence-core/engine/document_cuts.h"
#include "presence-core/engine/engine.h"
#include "presence-core/engine/link_table.h"
#include "presence-core/engine/notifier.h"
#include "presence-core/engine/stripe.h"

namespace presence {

// What makes the state of a resource.
struct StateSources {
  std::vector<PublicationPtr> publications;
  std::vector<StoredDocumentPtr> hard_state;

  static StateSources Of(const Resource& resource) {
    return {resource.publications(), resource.documents()};
  }
  size_t size() const { return publications.size() + hard_state.size(); }
};

// The machinery behind Engine: how a command gets to its decision, the decision to the journal, the
// rows into the resource, and the resource's watchers to their links. Private to engine/.
struct Engine::Impl {
  Impl(const EngineConfig& engine_config, const EventRegistry& event_registry,
       std::shared_ptr<const PolicySnapshot> first_policy, Journal& engine_journal,
       Executor& notify_executor, const Clock& engine_clock, Random& engine_random,
       uint64_t owner_epoch, std::vector<Executor*> notify_executors, DocumentCuts* document_cuts);

  // --- Commands.

  // Decides `work` on the resource, at once or when its inbox comes to it, and answers it.
  void Submit(const ResourceKey& key, WorkPtr work);
  void Submit(Stripe& stripe, uint32_t cell_number, WorkPtr work);
  // A decision whose outcome nobody waits for.
  template <typename D>
  static WorkPtr Quietly(D decide) {
    return AndThen(std::move(decide), [](const absl::Status&) {});
  }
  // A decision, and what is done when its effects are durable or dropped.
  template <typename D, typename A>
  static WorkPtr AndThen(D decide, A answer) {
    class Quiet final : public Work {
     public:
      Quiet(D decide, A answer) : decide_(std::move(decide)), answer_(std::move(answer)) {}
      void Decide(const DecideContext& context, Effects& effects) override {
        decide_(context, effects);
      }
      void Answer(const absl::Status& durable) override { answer_(durable); }

     private:
      D decide_;
      A answer_;
    };
    return std::make_unique<Quiet>(std::move(decide), std::move(answer));
  }
  // What an alarm asks for: it rings again when the journal did not take it, for nobody else would
  // ask.
  template <typename D>
  WorkPtr Insisting(Stripe& stripe, AlarmTarget target, D decide) {
    return AndThen(std::move(decide), [this, &stripe, target](const absl::Status& durable) {
      if (!durable.ok()) RingAgain(stripe, target);
    });
  }
  // What a dialog asks for by itself; it is looked at again when the journal did not take it.
  template <typename D>
  WorkPtr ForDialog(Stripe& stripe, uint32_t cell_number, const LocalTag& id, D decide) {
    return AndThen(std::move(decide),
                   [this, &stripe, cell_number, id](const absl::Status& durable) {
                     if (!durable.ok()) LookAgain(stripe, cell_number, id);
                   });
  }
  // Hands the resource of a subscription to `found`: at once, or when the journal has told.
  // Errors: SUBSCRIPTION_UNKNOWN, STORAGE_UNAVAILABLE.
  using DialogFound = absl::AnyInvocable<void(absl::StatusOr<ResourceKey>, const LocalTag&)>;
  void FindDialog(const std::string& text, DialogFound found);
  // The id of the dialog that an in-dialog request means, which is its To tag unless another server
  // chose that.
  std::string IdNamedBy(const SubscribeCommand& command) const;
  void RingAgain(Stripe& stripe, const AlarmTarget& target);
  void LookAgain(Stripe& stripe, uint32_t cell_number, const LocalTag& id);
  // A decision with an outcome, which `done` gets once it is durable.
  template <typename T, typename D>
  static WorkPtr Answering(D decide, Engine::Done<T> done) {
    class Told final : public Work {
     public:
      Told(D decide, Engine::Done<T> done) : decide_(std::move(decide)), done_(std::move(done)) {}
      void Decide(const DecideContext& context, Effects& effects) override {
        outcome_ = decide_(context, effects);
      }
      void Answer(const absl::Status& durable) override {
        // Decided on top of something that did not become durable, even a refusal is void.
        if (!durable.ok()) outcome_ = durable;
        done_(std::move(outcome_));
      }
      bool is_told() const override { return true; }

     private:
      D decide_;
      Engine::Done<T> done_;
      absl::StatusOr<T> outcome_;
    };
    return std::make_unique<Told>(std::move(decide), std::move(done));
  }

  // Decides a batch of what waits. Returns what to answer at once; what waits for the journal is
  // answered later.
  std::vector<WorkPtr> Decide(Stripe& stripe, Cell& cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // Decides a batch, if one can be. Returns the cell's number when there is another; then the cell
  // is still there.
  std::optional<uint32_t> DrainInbox(Stripe& stripe, Cell& cell, std::vector<WorkPtr>& decided)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // Runs what the inbox holds, a batch in a hold, until nothing is left that can run now.
  void Drain(Stripe& stripe, uint32_t cell_number);
  Journal::Acceptance Append(Stripe& stripe, const Cell& cell, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void OnAppended(Stripe& stripe, uint32_t cell_number, AppendOutcome outcome);
  void Apply(Stripe& stripe, Cell& cell, const RowChanges& changes, const Effects::Due& due)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void SetRowTimers(Stripe& stripe, Cell& cell, const RowChanges& changes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void SetRowTimer(Stripe& stripe, Cell& cell, Alarm alarm, uint64_t ordinal, absl::Time when)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);

  // --- Reading from the journal.

  // Takes over all there is, at the start.
  absl::StatusOr<Loaded> LoadAll(absl::FunctionRef<void(const Loaded&)> progress);
  // Reads again what an append in doubt may have changed.
  void Load(Stripe& stripe, uint32_t cell_number, ResourceKey key);
  void OnLoaded(Stripe& stripe, uint32_t cell_number,
                absl::StatusOr<std::optional<ResourceRows>> loaded);
  // --- A resource that other processes change, too (engine_shared.cc).

  // Whether what was decided may be answered, or will be found out by the append if it may not.
  // Counts it against what was looked for.
  bool IsTrue(Cell& cell, const PendingAppend& decided) const;
  // At the head of the inbox, in their order.
  static void PutBack(Cell& cell, std::vector<WorkPtr> works);
  // Reads the resource as it is now. It is busy until then.
  void Look(Stripe& stripe, Cell& cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void OnLooked(Stripe& stripe, uint32_t cell_number,
                absl::StatusOr<std::optional<ResourceRows>> rows);
  // Refuses what was looked for, and looks again in a while.
  void OnNotLooked(Stripe& stripe, uint32_t cell_number, const absl::Status& status);
  // Takes over what others have changed in a resource that is busy, and tells who is to be told.
  // Others say so by the version; with `whatever_version` it may have been somebody who does not.
  // Nothing is found where nothing is stored.
  void TakeOver(Stripe& stripe, uint32_t cell_number, std::optional<ResourceRows> found,
                bool whatever_version = false);
  // Takes over what was read of all resources, or looks at this one if it may be old.
  void TakeOverOne(ResourceRows rows);
  // Goes through the dialogs of the group, now that they are instructed here.
  void TakeGroup(const std::string& group, uint32_t tenure);
  void TakeGroupSoon(const std::string& group, uint32_t tenure);
  // Brings the subscriptions of a watcher in line with what was decided elsewhere.
  void Realign(const ResourceKey& key, const WatcherUri& watcher);
  void RealignSoon(const ResourceKey& key, const WatcherUri& watcher);
  // The watchers of `changes` about whom others have decided and who are connected here.
  static std::vector<WatcherUri> NativeAmong(const RowChanges& changes, const Resource& resource);

  // Nobody may decide on what is in doubt: who waits is told so.
  void RefuseInbox(Stripe& stripe, uint32_t cell_number, const absl::Status& status);

  // Who is to be told of `rows`, which were made durable without `resource` hearing of it.
  static Effects::Due DueAfter(const RowChanges& rows, const Resource& resource);

  // Reads a resource again and tells its watchers, in its turn.
  void Reread(std::unique_ptr<RereadRequest> request);
  void BeginReread(Stripe& stripe, Cell& cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void OnReread(Stripe& stripe, uint32_t cell_number,
                absl::StatusOr<std::optional<ResourceRows>> loaded);
  // Takes over what is `stored`, if that was read, and tells.
  WorkPtr TakingOver(std::unique_ptr<RereadRequest> request,
                     std::optional<ResourceRows> stored) const;

  // --- What outlives the process of what was told (notifier.h, "After a start").

  // Writes down resources that have been quiet, as many as the rate allows by now.
  void SettleSome();
  // Looks at resources of the stripe until `most` of them go to be written down; returns how many.
  size_t SettleSome(Stripe& stripe, size_t most);
  WorkPtr Settling(Stripe& stripe, uint32_t cell_number, uint32_t unsettlings);
  // Tells those who may have missed a NOTIFY, at the rate, until nobody is left.
  void Resync(absl::Time when);
  // Those of one slice of the stripe, at most `most`; nullopt when there is nobody left to look at.
  std::optional<size_t> ResyncSlice(Stripe& stripe, size_t most);

  // --- Sweeps over one resource in slices, each a command of its own.

  struct Reauthorization {
    ResourceKey key;
    std::optional<WatcherUri> only;
    RefreshOutcome outcome;
    Engine::Done<RefreshOutcome> done;
  };
  void ReauthorizeFrom(uint64_t ordinal, std::shared_ptr<Reauthorization> sweep);

  struct CleanupSweep;
  void CleanupNext(std::shared_ptr<CleanupSweep> sweep);
  std::vector<ResourceKey> KeysFrom(Stripe& stripe, const std::optional<ResourceKey>& after,
                                    size_t limit);

  // --- The map.

  Stripe& StripeOf(uint32_t hash) { return *stripes[hash & (stripes.size() - 1)]; }
  Cell* Find(Stripe& stripe, const ResourceKey& key) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  Cell* FindOrCreate(Stripe& stripe, const ResourceKey& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // The cell that has a subscription of this tag; null if none has.
  Cell* FindByTag(Stripe& stripe, const LocalTag& tag) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void ForgetIfEmpty(Stripe& stripe, Cell& cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);

  // --- Notifying.

  // Has the stripe's queue looked at, if it has work and nobody does so already.
  void SchedulePump(Stripe& stripe);
  void Pump(Stripe& stripe);
  // One slice; returns how many instructions left, nullopt when there was nothing to do.
  std::optional<size_t> PumpOne(Stripe& stripe);
  // What authorized watchers of these see.
  std::optional<Document> ComposeState(const ResourceKey& key, const EventPackage& package,
                                       StateSources sources) const;
  void ReportCut(const ResourceKey& key, CutDocument of, size_t left_out) const;
  // Writes down what `read` gives until the limits are reached or nothing is left: it appends a
  // slice of watchers, until there are `most`, and returns true when there are no more.
  using ReadWinfoSlice = absl::FunctionRef<bool(size_t most, std::vector<WinfoItem>& items)>;
  struct WrittenWinfo {
    Document document;
    std::optional<WinfoPosition> go_on;  // where not all that was read fitted
    bool is_complete = false;
    size_t left_over = 0;  // of what was read
  };
  WrittenWinfo WriteWinfo(WinfoDocument document, const WinfoLimits& limits,
                          ReadWinfoSlice read) const;
  // Watchers that are still to be read.
  static size_t CountRest(ReadWinfoSlice read);
  void AddWinfo(Stripe& stripe, uint32_t cell_number, Notifier::Shipment& shipment);
  // The watcher information of a resource in one document.
  Document WinfoOf(const ResourceKey& key, absl::Time now);
  void Ship(Notifier::Slice slice, Stripe& stripe, uint32_t cell_number);
  void Wake(LinkTable::LinkId link, std::vector<LinkTable::Waiting> waiting);
  // Returns the cell's number when its inbox holds more than could be decided at once; `decided`
  // gets what is to be answered.
  std::optional<uint32_t> Ring(Stripe& stripe, const AlarmTarget& target,
                               std::vector<WorkPtr>& decided)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // What an alarm of a row asks for; null when there is nothing to ask for any more.
  WorkPtr WorkOf(Stripe& stripe, Cell& cell, const AlarmTarget& target)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  WorkPtr ExpireAnswers(Stripe& stripe, Cell& cell, const AlarmTarget& target)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  Executor& NotifierOf(const Stripe& stripe) const {
    if (notifiers.empty()) return executor;
    return *notifiers[static_cast<size_t>(stripe.index) % notifiers.size()];
  }
  // Rings what is due, at most a slice; true when there may be more.
  bool Tick(Stripe& stripe);
  void ScheduleTick(absl::Time when);

  DecideContext ContextFor(const EventPackage& package, const PolicySnapshot& snapshot) const {
    return {clock.Now(), config, snapshot, package, random};
  }
  std::shared_ptr<const PolicySnapshot> Policy() const;

  const EngineConfig config;
  const EventRegistry& registry;
  Journal& journal;
  Executor& executor;
  const std::vector<Executor*> notifiers;
  const Clock& clock;
  Random& random;
  const uint64_t epoch;
  DocumentCuts* const cuts;

  LinkTable links;
  Notifier notifier;
  DialogAliases aliases;
  std::vector<std::unique_ptr<Stripe>> stripes;

  // Used on `executor` only.
  absl::Time settled_until;  // up to here the rate has been used up
  size_t next_settled = 0;   // stripe whose turn it is
  size_t next_resynced = 0;
  bool is_resyncing = false;

  mutable absl::Mutex policy_mu;  // a leaf
  std::shared_ptr<const PolicySnapshot> policy ABSL_GUARDED_BY(policy_mu);
};

// Keeps the stripe's row counts in step with one change of a resource. The stripe's lock is held.
class CountedRows {
 public:
  CountedRows(Stripe& stripe, const Cell& cell) ABSL_NO_THREAD_SAFETY_ANALYSIS : stripe_(stripe),
                                                                                 cell_(cell) {
    stripe_.publications -= cell_.resource.publications().size();
    stripe_.subscriptions -= cell_.resource.subscriptions().size();
  }
  ~CountedRows() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    stripe_.publications += cell_.resource.publications().size();
    stripe_.subscriptions += cell_.resource.subscriptions().size();
  }
  CountedRows(const CountedRows&) = delete;
  CountedRows& operator=(const CountedRows&) = delete;

 private:
  Stripe& stripe_;
  const Cell& cell_;
};

// What can be said of a document without the resource.
absl::Status CheckDocument(const EngineConfig& config, const EventPackage& package,
                           const PresentityUri& presentity, const Document& document);

// So long answer records rest at least between two looks at them.
inline constexpr absl::Duration kAnswersPause = absl::Milliseconds(100);

// Publications as they are weighed against each other, strongest first.
void SortForComposition(CompositionOrder order, std::vector<PublicationPtr>& publications);

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_ENGINE_IMPL_H_
