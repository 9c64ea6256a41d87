#ifndef PRESENCE_CORE_ENGINE_NOTIFIER_H_
#define PRESENCE_CORE_ENGINE_NOTIFIER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "presence-core/engine/engine_config.h"
#include "presence-core/engine/link_table.h"
#include "presence-core/engine/stripe.h"
#include "presence-core/engine/watcher_link.h"

namespace presence {

// The notifier owes every watcher one thing: the latest state, once the watcher is free to take it.
// It does not owe a NOTIFY for every change, so nothing ever queues behind a slow watcher and a
// publisher never waits for one.
//
//                    ┌────────────── a change, a SUBSCRIBE, a decision ──────────────┐
//                    v                                                               │
//      idle ───────> due ──credit, not throttled──> in flight ──2xx──> idle          │
//                    ^ ^                              │   │   └──newer state by now──>┘
//                    │ └─────back-off, Retry-After────┘   └──404, 481, ...──> removed
//                    └── no credit: starved, until its link has some
//
// A dialog is due when the state it has confirmed is not the newest (notified_seq < revision.seq),
// or when it must be told whatever it knows (`tell`). One visible change makes ten thousand dialogs
// due by raising one number; the sweep then meets them, kRowsPerSlice a hold of the lock, in turn
// with other resources.
//
// Invariants:
//   - at most one NOTIFY of a dialog is unanswered, unless a SUBSCRIBE in that dialog overtook it;
//   - CSeq rises by one with every instruction and never passes the row's cseq_limit, which is
//   durable;
//   - no instruction shows an older state than one before it in the same dialog;
//   - after a terminating NOTIFY there is no other.
//
// All functions are called with the lock of the cell's stripe held, and do no I/O.
class Notifier {
 public:
  Notifier(const EngineConfig& config, LinkTable& links, uint64_t epoch)
      : config_(config), links_(links), epoch_(epoch) {}

  // Rows were applied to the cell: brings slots and alarms in line with them and marks who is due.
  // `gone`: the ordinals of the subscriptions that the rows removed.
  void OnApplied(Stripe& stripe, Cell& cell, const RowChanges& changes, const Effects::Due& due,
                 const std::vector<uint64_t>& gone) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // Rows of an earlier life of the owner were read from the journal: their dialogs go on above
  // every CSeq and version that it may have used.
  void OnLoaded(Stripe& stripe, Cell& cell, const RowChanges& changes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // The cell is about to be forgotten.
  void OnForgotten(Stripe& stripe, Cell& cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);

  // One instruction, with the link that gave its credit. Watcher information is still to be
  // collected, in holds of their own: see TakeWinfo.
  struct Shipment {
    LinkTable::LinkId link;
    Instruction instruction;
    std::optional<WinfoDocument> winfo;
  };
  struct Slice {
    std::vector<Shipment> shipments;
    // Dialogs that need a higher cseq_limit, with the CSeq they have come to.
    std::vector<std::pair<LocalTag, uint32_t>> raise;
  };
  // Goes through at most kRowsPerSlice dialogs. The cell's `composed` is what authorized watchers
  // are shown.
  Slice TakeSlice(Stripe& stripe, Cell& cell, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);

  // The next slice of what a winfo dialog is shown in its NOTIFY under way, until `items` has
  // `most` watchers. True when there is no more of it.
  bool TakeWinfo(Stripe& stripe, Cell& cell, const Instruction& instruction, size_t most,
                 absl::Time now, std::vector<WinfoItem>& items)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // Of what TakeWinfo gave, not all fitted: the dialog goes on from here.
  void ReturnWinfo(Stripe& stripe, Cell& cell, const Instruction& instruction,
                   const WinfoPosition& position) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);

  // What a report asks the engine to do with the row.
  enum class Consequence { kNone, kRemove, kFinish };
  Consequence OnReport(Stripe& stripe, Cell& cell, const Subscription& row,
                       const NotifyReport& report, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);

  // The alarm of a dialog rang: its back-off is over, or its answer is overdue.
  void OnAlarm(Stripe& stripe, Cell& cell, uint64_t ordinal)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);

  // The connection of a parked dialog may be there after all.
  void Unpark(Stripe& stripe, Cell& cell, uint64_t ordinal)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);

  // The NOTIFY in flight is lost with its gateway.
  void OnLost(Stripe& stripe, Cell& cell, uint64_t ordinal)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);

  // A change of the row that the dialog itself asked for - a higher cseq_limit, its removal - was
  // not stored: it is looked at again in a while, and asks again if it still must.
  void OnNotStored(Stripe& stripe, Cell& cell, uint64_t ordinal, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);

  // There is credit again for those in this line. False when nobody here has a use for it.
  bool OnCredit(Stripe& stripe, Cell& cell, LinkTable::Line line)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);

  // When an expired row is looked at: the next multiple of the sweep interval.
  absl::Time SweepTime(absl::Time expires_at) const;

 private:
  bool Owes(const Cell& cell, const Subscription& row, const NotifySlot& slot) const;
  void MakeReady(Stripe& stripe, Cell& cell, uint64_t ordinal, NotifySlot& slot)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void Enqueue(Stripe& stripe, Cell& cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void OnRow(Stripe& stripe, Cell& cell, const SubscriptionPtr& row)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void Tell(Stripe& stripe, Cell& cell, const Effects::Due::Telling& telling)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void DropSlot(Stripe& stripe, Cell& cell, uint64_t ordinal)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void ReportWatchers(Stripe& stripe, Cell& cell, const Effects::Due& due)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // The rounds of a slice, each over at most `most` dialogs; they return over how many.
  size_t VisitReady(Stripe& stripe, Cell& cell, size_t most, absl::Time now, Slice& slice)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  size_t VisitStarved(Stripe& stripe, Cell& cell, size_t most, absl::Time now, Slice& slice)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  size_t VisitWinfo(Stripe& stripe, Cell& cell, size_t most, absl::Time now, Slice& slice)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  size_t VisitAll(Stripe& stripe, Cell& cell, size_t most, absl::Time now, Slice& slice)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void VisitOrdinal(Stripe& stripe, Cell& cell, uint64_t ordinal, absl::Time now, Slice& slice)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  static void Starve(Cell& cell, const Subscription& row, NotifySlot& slot, LinkTable::Line line);
  static void Unstarve(Cell& cell, uint64_t ordinal, NotifySlot& slot);
  static WinfoDocument BeginWinfo(const Cell& cell, WinfoProgress& progress, absl::Time now);
  // Lets go of changes that every winfo dialog has been told.
  static void TrimLog(Stripe& stripe, Cell& cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // The winfo dialog that this instruction is the newest of; null when it has moved on.
  static WinfoProgress* ProgressOf(Cell& cell, const Instruction& instruction);
  void Visit(Stripe& stripe, Cell& cell, const SubscriptionPtr& row, NotifySlot& slot,
             absl::Time now, Slice& slice) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  bool MayGo(Stripe& stripe, Cell& cell, const SubscriptionPtr& row, NotifySlot& slot,
             absl::Time now, Slice& slice) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  Shipment Instruct(Stripe& stripe, Cell& cell, const SubscriptionPtr& row, NotifySlot& slot,
                    absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void BackOff(Stripe& stripe, Cell& cell, uint64_t ordinal, NotifySlot& slot,
               std::optional<absl::Duration> retry_after, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void SetTimer(Stripe& stripe, const Cell& cell, uint64_t ordinal, NotifySlot& slot,
                absl::Time when) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);

  const EngineConfig& config_;
  LinkTable& links_;
  const uint64_t epoch_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_NOTIFIER_H_
