#ifndef PRESENCE_CORE_ENGINE_NOTIFY_STATE_H_
#define PRESENCE_CORE_ENGINE_NOTIFY_STATE_H_

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "presence-core/engine/link_table.h"
#include "presence-core/engine/winfo_state.h"
#include "presence-core/model/document.h"
#include "presence-core/model/subscription.h"
#include "runtime/timer_wheel.h"

namespace presence {

// What this process has told whom about one resource. Volatile: after a restart it is made anew
// from the rows, and whoever may have missed a NOTIFY is told again.

// One dialog. It is *due* when it owes its watcher a NOTIFY, and then waits in `ready`, in a line
// of `starved`, or is met by the sweep; it is *in flight* while a NOTIFY is unanswered, and then
// nothing more is sent in it unless a SUBSCRIBE proves that the watcher is alive and waiting.
struct NotifySlot {
  uint32_t cseq = 0;          // last used
  uint32_t in_flight = 0;     // CSeq of the unanswered NOTIFY, 0 for none
  uint64_t link = 0;          // over which it left
  uint64_t told_seq = 0;      // state shown by the NOTIFY in flight
  uint64_t notified_seq = 0;  // newest state confirmed
  // Due whatever the watcher knows, and why.
  NotifyCause tell = NotifyCause::kNone;
  NotifyCause in_flight_cause = NotifyCause::kNone;
  bool supersedes = false;   // may go although one is in flight, and before not_before
  bool is_ready = false;     // stands in `ready`
  bool is_starved = false;   // stands in `line`; never both
  bool is_parked = false;    // its connection is gone: wait for the next SUBSCRIBE
  bool is_removing = false;  // say nothing more: its removal is on its way to the journal
  bool is_raising = false;   // a higher cseq_limit is on its way to the journal
  uint8_t failures = 0;      // in a row
  // Of a shared journal: since when this process instructs the dialog (LinkTable); 0 for never.
  uint32_t tenure = 0;
  LinkTable::Line line = 0;  // for want of credit of which it waits, while is_starved
  absl::Time not_before = absl::InfinitePast();  // throttle, Retry-After, back-off
  absl::Time sent_at = absl::InfinitePast();
  TimerId timer = kNoTimer;  // rings at not_before, or when an answer is overdue
  TimerId expiry = kNoTimer;
  std::unique_ptr<WinfoProgress> winfo;  // winfo dialogs only
};

// The dialogs of one resource that wait for credit in one line of the link table.
struct StarvedLine {
  // Served in rounds, from `cursor` on and around: whoever is due often must not be always first.
  absl::btree_set<uint64_t> ordinals;
  uint64_t cursor = 0;
  bool is_remembered = false;  // the link table will say when there is credit
  bool is_open = false;        // stands in `open`: there was credit
  bool is_lasting = false;     // a gateway's; that of a native watcher goes with the watcher
};

struct NotifyState {
  absl::flat_hash_map<uint64_t, NotifySlot> slots;  // by ordinal

  // A visible change makes everybody due without touching anybody: the sweep walks all dialogs
  // once, from `cursor` on and around, and a further change only makes it walk on.
  uint64_t cursor = 0;
  size_t sweep_left = 0;
  // Single dialogs that are due by themselves.
  std::vector<uint64_t> ready;
  // Those that found no credit, and the lines for which there is some again.
  absl::flat_hash_map<LinkTable::Line, StarvedLine> starved;
  std::list<LinkTable::Line> open;
  std::unique_ptr<WinfoState> winfo;  // while somebody watches the watchers

  bool is_queued = false;  // in the stripe's queue

  // Times that something was owed by a command: what was found quiet before is not so any more.
  uint32_t unsettlings = 0;
  bool awaits_quiet = false;  // in the stripe's `unsettled`
  // While dialogs are to be told again in turn (in the stripe's `resync`): from where on, and
  // whether one before that had to wait for its gateway.
  bool is_resyncing = false;
  bool is_resync_passed_over = false;
  uint64_t resync_cursor = 0;

  // Composed once a revision, when somebody needs it.
  uint64_t composed_seq = UINT64_MAX;
  std::optional<Document> composed;
  // Counts the times that what was composed, or is being composed, became another state's.
  uint32_t compositions_voided = 0;

  bool has_work() const {
    return sweep_left > 0 || !ready.empty() || !open.empty() ||
           (winfo != nullptr && winfo->sweep_left > 0);
  }
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_NOTIFY_STATE_H_
