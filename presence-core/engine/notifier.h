#ifndef PRESENCE_CORE_ENGINE_NOTIFIER_H_
#define PRESENCE_CORE_ENGINE_NOTIFIER_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
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
// After a start. What was told to whom is not stored: a NOTIFY causes no row write. Stored is one
// number a resource, settled_seq: at that seq every stored dialog knew all it was owed and none had
// a NOTIFY unanswered. A resource *settles* when it has owed nothing for a while; then its row is
// written, at no more than a rate for all of them, or along with the next change that owes nothing.
// What makes somebody due again takes that back in the append that decides it - a change of state
// by raising seq, all else by unsetting settled_seq - before anybody is told. So a crash at any
// moment tells once too often or as often as needed, never too seldom. After a start
//   - dialogs of resources that had not settled are told again, whatever they know, at
//     `resync_rate` and only where there is credit, so behind live changes; a change that comes
//     earlier tells them at once instead;
//   - dialogs that were terminating get their last NOTIFY at once, for their time is short;
//   - dialogs of settled resources are told nothing. They are taken to know the present revision,
//     which is that of a new life: native watchers' tokens are of the old one, so these see the
//     reset whatever has settled. (What a new setting makes of the same publications, composition
//     order for instance, they see with the next change.)
//   - what expired meanwhile - publications, subscriptions, watchers waiting for a decision - has
//     alarms that ring at once, and is told as any expiry;
//   - the first document of a winfo dialog is a full state, in a version above all that may have
//     been used (RFC 3858 §4 lets versions jump to one). Native watchers are shown to it but not
//     stored, so a resource that has both does not settle;
//   - where the mode promises more than is stored (write-back), watchers may have been shown what a
//     crash has lost: a store whose last owner may have been ahead gives no settled_seq back.
//
// All functions are called with the lock of the cell's stripe held, and do no I/O.
class Notifier {
 public:
  Notifier(const EngineConfig& config, LinkTable& links, uint64_t epoch, bool is_shared)
      : config_(config), links_(links), epoch_(epoch), is_shared_(is_shared) {}

  // Rows were applied to the cell: brings slots and alarms in line with them and marks who is due.
  // `gone`: the ordinals of the subscriptions that the rows removed.
  void OnApplied(Stripe& stripe, Cell& cell, const RowChanges& changes, const Effects::Due& due,
                 const std::vector<uint64_t>& gone) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // Rows of an earlier life of the owner were read from the journal: their dialogs go on above
  // every CSeq and version that it may have used.
  void OnLoaded(Stripe& stripe, Cell& cell, const RowChanges& changes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // --- Of a shared journal. A dialog is instructed by one process, the one that holds its gateway
  // (LinkTable::TenureOf); the others hold its row, and wait.

  // What is known here of the cseq_limit of rows that are about to be applied: nothing of new ones.
  // A row that came with an append of our own whose answer was lost, `in_doubt` or null, is as we
  // made it until somebody raises its limit; but who raised that of an older one is not known.
  using Limits = std::vector<std::pair<uint64_t, std::optional<uint32_t>>>;
  static Limits LimitsOf(const Cell& cell, const RowChanges* in_doubt, const RowChanges& changes);
  // Rows that another process wrote were applied: CSeqs up to a limit that it raised may have been
  // used by it.
  void OnTakenOver(Stripe& stripe, Cell& cell, const Limits& known)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // From now on this process instructs the dialogs of `group`: a slice of them from ordinal `from`
  // on. Adopts those that are not of this tenure, and goes on with what is owed to the others since
  // it ended. Returns where to go on, unless that was the last.
  std::optional<uint64_t> TakeGroupSlice(Stripe& stripe, Cell& cell, std::string_view group,
                                         uint32_t tenure, uint64_t from)
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

  // Has the stripe look, after a while, whether everybody here has been told. Call it after
  // whatever may have been the last thing to wait for.
  void AwaitQuiet(Stripe& stripe, Cell& cell, const Clock& clock)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // Whether it is worth writing down that the resource owes nothing, as far as few dialogs tell.
  bool IsQuiet(Stripe& stripe, const Cell& cell) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // Goes on with a look at a slice of the dialogs. kNobody: no dialog is stored.
  enum class Quiet { kOwing, kSoFar, kAll, kNobody };
  Quiet LookForQuiet(Stripe& stripe, const Cell& cell, Stripe::Unsettled& look) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // Makes dialogs ready that are to be told again in turn, at most `most` of a slice. Returns how
  // many; afterwards the cell is no longer `is_resyncing` if that was the last.
  size_t ResyncSlice(Stripe& stripe, Cell& cell, size_t most, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);

  // When an expired row is looked at: the next multiple of the sweep interval.
  absl::Time SweepTime(absl::Time expires_at) const;

 private:
  bool IsToSettle(const Cell& cell) const;
  bool KnowsAll(const Cell& cell, const Subscription& row) const;
  bool Owes(const Cell& cell, const Subscription& row, const NotifySlot& slot) const;
  void MakeReady(Stripe& stripe, Cell& cell, uint64_t ordinal, NotifySlot& slot)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void Enqueue(Stripe& stripe, Cell& cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void OnRow(Stripe& stripe, Cell& cell, const SubscriptionPtr& row)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  void Tell(Stripe& stripe, Cell& cell, const Effects::Due::Telling& telling)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  bool IsInstructedHere(const Subscription& row, const NotifySlot& slot) const {
    return !is_shared_ || row.is_native() ||
           (slot.tenure != 0 && slot.tenure == links_.TenureOf(row.dialog.gateway()));
  }
  // It has a NOTIFY to send then, whatever it was told by others.
  static void Adopt(Stripe& stripe, const Subscription& row, NotifySlot& slot, uint32_t tenure)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // Puts a dialog with tell = kResync among those that are told in turn.
  static void ResyncInTurn(Stripe& stripe, Cell& cell, uint64_t ordinal)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.mu);
  // Another process may have used CSeqs and versions up to the limit.
  static void GoOnAbove(uint32_t cseq_limit, NotifySlot& slot);
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
  static LinkTable::Wanted WantedBy(const Subscription& row) {
    return {row.dialog.gateway(), row.dialog.flow_gateway(), !row.is_native()};
  }
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
  const bool is_shared_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_NOTIFIER_H_
