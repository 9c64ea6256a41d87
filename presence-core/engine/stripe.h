#ifndef PRESENCE_CORE_ENGINE_STRIPE_H_
#define PRESENCE_CORE_ENGINE_STRIPE_H_

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "presence-core/engine/decide.h"
#include "presence-core/engine/lock_holds.h"
#include "presence-core/engine/notify_state.h"
#include "presence-core/engine/resource.h"
#include "runtime/clock.h"
#include "runtime/timer_wheel.h"

namespace presence {

// A command as it waits in an inbox.
class Work {
 public:
  virtual ~Work() = default;
  // Decides what it changes; once more where that was decided on an old copy (Journal::is_shared).
  virtual void Decide(const DecideContext& context, Effects& effects) = 0;
  // Says how it ended, once its effects are durable or dropped; without Decide where nobody may
  // decide. Called once, and last.
  virtual void Answer(const absl::Status& durable) = 0;
  // Whether somebody believes the answer even where nothing changes, so that it must be decided on
  // what is true now.
  virtual bool is_told() const { return false; }
};
using WorkPtr = std::unique_ptr<Work>;

// A wish to read the resource again from the journal and to tell everybody what it is then.
struct RereadRequest {
  ResourceKey key;
  std::optional<NamedDocument> named;
  absl::AnyInvocable<void(absl::StatusOr<RefreshOutcome>)> done;
};

// A batch of decisions whose rows are on their way to the journal.
struct PendingAppend {
  explicit PendingAppend(const Resource& base) : effects(base) {}
  Effects effects;
  std::vector<WorkPtr> works;
};

enum class Alarm : uint8_t { kPublication, kSubscription, kNotify, kWaiting, kAnswers, kLook };

// A resource and what this process does with it.
struct Cell {
  Cell(ResourceKey key, ResourceRow row, const EventPackage* event_package, uint32_t cell_number)
      : resource(std::move(key), std::move(row)), package(event_package), number(cell_number) {}

  Resource resource;
  NotifyState notify;
  const EventPackage* const package;
  const uint32_t number;

  // While an append or a load is outstanding, commands wait, and the resource stays as it is: it
  // may then be read without the lock.
  bool is_busy = false;
  std::unique_ptr<PendingAppend> pending;
  // The rows of an append whose outcome is unknown, until they have been read again.
  std::unique_ptr<RowChanges> in_doubt;
  std::list<WorkPtr> inbox;
  // Of a shared journal: somebody else has changed it, or may have.
  bool must_look = false;
  // So many at the head of the inbox came before the last look at the journal began: what they are
  // decided on is true.
  size_t looked_for = 0;
  // Come first, as soon as no append is outstanding.
  std::deque<std::unique_ptr<RereadRequest>> rereads;

  // Alarms of publications and waiting watchers, by kind and ordinal, and that of a look that
  // failed; one for all answer records.
  absl::flat_hash_map<std::pair<Alarm, uint64_t>, TimerId> row_timers;
  TimerId answers_timer = kNoTimer;
};

// What an alarm is for, and whose: a timer's payload. Ordinals are never used twice, and a resource
// that is published to all day comes past 2^32 of them.
struct AlarmTarget {
  Alarm alarm;
  uint32_t cell;
  uint64_t ordinal;
};
static_assert(sizeof(AlarmTarget) == 16, "every row has an alarm or two");

// One part of the map of resources, with everything that one lock guards: the resources, their
// alarms, and the queue of those that have watchers to tell.
struct Stripe {
  Stripe(int stripe_index, absl::Time start) : index(stripe_index), wheel(start) {}

  const int index;

  // Lock order: a stripe's before the link table's; never two stripes' at once.
  absl::Mutex mu;
  absl::btree_map<ResourceKey, std::unique_ptr<Cell>> cells ABSL_GUARDED_BY(mu);
  absl::flat_hash_map<uint32_t, Cell*> by_number ABSL_GUARDED_BY(mu);
  absl::flat_hash_map<uint32_t, absl::InlinedVector<Cell*, 1>> by_hash ABSL_GUARDED_BY(mu);
  uint32_t next_number ABSL_GUARDED_BY(mu) = 1;
  // No resource of this stripe that has been forgotten had a higher seq: a new one starts here, so
  // that a name's revisions never fall, even when it comes back after a silence.
  uint64_t forgotten_seq ABSL_GUARDED_BY(mu) = 0;
  TimerWheelOf<AlarmTarget> wheel ABSL_GUARDED_BY(mu);
  std::deque<Cell*> queue ABSL_GUARDED_BY(mu);
  // Resources that owed something, by when to look whether they still do; from `ordinal` on.
  struct Unsettled {
    absl::Time look_at;
    uint32_t cell;
    uint32_t unsettlings;
    uint64_t ordinal;
    bool has_stored;  // a dialog that outlives the process came before `ordinal`
  };
  std::deque<Unsettled> unsettled ABSL_GUARDED_BY(mu);
  // Resources with dialogs to tell again, after a start or since their gateways came here.
  std::deque<uint32_t> resync ABSL_GUARDED_BY(mu);
  bool is_pumping ABSL_GUARDED_BY(mu) = false;

  // Counters of EngineCounters.
  uint64_t publishes ABSL_GUARDED_BY(mu) = 0;
  uint64_t subscribes ABSL_GUARDED_BY(mu) = 0;
  uint64_t instructions ABSL_GUARDED_BY(mu) = 0;
  uint64_t notify_failures ABSL_GUARDED_BY(mu) = 0;
  uint64_t coalesced ABSL_GUARDED_BY(mu) = 0;
  uint64_t resynced ABSL_GUARDED_BY(mu) = 0;
  uint64_t settled ABSL_GUARDED_BY(mu) = 0;
  uint64_t publications ABSL_GUARDED_BY(mu) = 0;   // rows now
  uint64_t subscriptions ABSL_GUARDED_BY(mu) = 0;  // rows now
  uint64_t expired_publications ABSL_GUARDED_BY(mu) = 0;
  uint64_t expired_subscriptions ABSL_GUARDED_BY(mu) = 0;
  uint64_t moved ABSL_GUARDED_BY(mu) = 0;
  uint64_t rows_this_hold ABSL_GUARDED_BY(mu) = 0;
  std::array<LockHolds, kHoldKinds> holds ABSL_GUARDED_BY(mu);
  // Resources that have been forgotten, to be taken apart when the lock is free.
  std::vector<std::unique_ptr<Cell>> dropped ABSL_GUARDED_BY(mu);
};

// Holds a stripe's lock and watches that nobody holds it for long.
class ABSL_SCOPED_LOCKABLE StripeLock {
 public:
  StripeLock(Stripe& stripe, const Clock& clock, Hold hold) ABSL_EXCLUSIVE_LOCK_FUNCTION(stripe.mu)
      : stripe_(stripe), clock_(clock), hold_(hold) {
    stripe_.mu.Lock();
    stripe_.rows_this_hold = 0;
    since_ = clock_.Now();
  }
  ~StripeLock() ABSL_UNLOCK_FUNCTION() {
    const uint64_t rows = stripe_.rows_this_hold;
    stripe_.holds[static_cast<size_t>(hold_)].Add({1, rows, rows, clock_.Now() - since_});
    std::vector<std::unique_ptr<Cell>> dropped;
    dropped.swap(stripe_.dropped);
    stripe_.mu.Unlock();
  }
  StripeLock(const StripeLock&) = delete;
  StripeLock& operator=(const StripeLock&) = delete;

 private:
  Stripe& stripe_;
  const Clock& clock_;
  const Hold hold_;
  absl::Time since_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_STRIPE_H_
