#ifndef PRESENCE_CORE_ENGINE_NOTIFY_STATE_H_
#define PRESENCE_CORE_ENGINE_NOTIFY_STATE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/time/time.h"
#include "presence-core/event/winfo.h"
#include "presence-core/model/document.h"
#include "presence-core/model/subscription.h"
#include "runtime/timer_wheel.h"

namespace presence {

// What this process has told whom about one resource. Volatile: after a restart it is made anew
// from the rows, and every watcher is due once.

// How far one winfo dialog has got (RFC 3858 §4: versions step by one, partial documents hold what
// changed).
struct WinfoProgress {
  uint32_t version = 0;  // of the next document
  bool needs_full = true;
  // The watcher may not have the last version: whatever comes next is a full state.
  bool has_gap = false;
  // A full state too large for one document goes on from this ordinal in partial ones; 0 when
  // complete.
  uint64_t resume_from = 0;
  // Changes not yet sent, the newest a watcher, merged while a NOTIFY is in flight.
  std::map<uint64_t, WinfoEntry> changed;

  bool is_due() const { return needs_full || resume_from != 0 || !changed.empty(); }
};

// One dialog. It is *due* when it owes its watcher a NOTIFY, and then waits in `ready` or is met by
// the sweep; it is *in flight* while a NOTIFY is unanswered, and then nothing more is sent in it
// unless a SUBSCRIBE proves that the watcher is alive and waiting.
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
  bool is_ready = false;     // stands in `ready` or `starved`
  bool is_parked = false;    // its connection is gone: wait for the next SUBSCRIBE
  bool is_removing = false;  // say nothing more: its removal is on its way to the journal
  bool is_raising = false;   // a higher cseq_limit is on its way to the journal
  uint8_t failures = 0;      // in a row
  absl::Time not_before = absl::InfinitePast();  // throttle, Retry-After, back-off
  absl::Time sent_at = absl::InfinitePast();
  TimerId timer = kNoTimer;  // rings at not_before, or when an answer is overdue
  TimerId expiry = kNoTimer;
  std::unique_ptr<WinfoProgress> winfo;  // winfo dialogs only
};

struct NotifyState {
  absl::flat_hash_map<uint64_t, NotifySlot> slots;  // by ordinal

  // A visible change makes everybody due without touching anybody: the sweep walks all dialogs
  // once, from `cursor` on and around, and a further change only makes it walk on.
  uint64_t cursor = 0;
  size_t sweep_left = 0;
  // Single dialogs that are due by themselves.
  std::vector<uint64_t> ready;
  // Those that found no credit, with the line of the link table they stand in.
  std::vector<std::pair<size_t, uint64_t>> starved;
  std::vector<uint64_t> winfo_dialogs;

  bool is_queued = false;  // in the stripe's queue
  // Lines in which the link table remembers this resource.
  absl::InlinedVector<size_t, 1> lines;

  // Composed once a revision, when somebody needs it.
  uint64_t composed_seq = UINT64_MAX;
  std::optional<Document> composed;
  // Counts the times that what was composed, or is being composed, became another state's.
  uint32_t compositions_voided = 0;

  bool has_work() const { return sweep_left > 0 || !ready.empty(); }
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_NOTIFY_STATE_H_
