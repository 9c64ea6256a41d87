#ifndef PRESENCE_CORE_ENGINE_WATCHER_LINK_H_
#define PRESENCE_CORE_ENGINE_WATCHER_LINK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "presence-core/model/document.h"
#include "presence-core/model/revision.h"
#include "presence-core/model/subscription.h"

namespace presence {

// One NOTIFY to send. Complete: whoever gets it needs to ask nobody. Named by (subscription id,
// cseq, epoch).
struct Instruction {
  SubscriptionPtr subscription;  // its id, dialog, event and watcher
  uint32_t cseq = 0;
  uint64_t epoch = 0;
  SubscriptionState state = SubscriptionState::kActive;
  TerminationReason reason = TerminationReason::kNone;
  absl::Duration expiry;  // remaining lifetime; 0 when terminated
  Document document;      // empty: no body
  NotifyCause cause = NotifyCause::kNone;
  Revision revision;
};

// How a NOTIFY ended; the numbers are those of presence.v1.NotifyResult.Outcome.
enum class NotifyOutcome {
  kAnswered = 1,
  kTimeout = 2,
  kTransportError = 3,
  kNoFlow = 4,
  kStaleEpoch = 5,
  kSuperseded = 6,
  kUnsendable = 7,
  kFlowLostRemove = 8,
};

// What became of one instruction.
struct NotifyReport {
  LocalTag subscription;
  uint32_t cseq = 0;
  uint64_t epoch = 0;
  NotifyOutcome outcome = NotifyOutcome::kAnswered;
  int code = 0;  // SIP status; 0 unless kAnswered
  std::optional<absl::Duration> retry_after;
};

// Whose link it is.
struct LinkName {
  // What dialogs know it by: a gateway group, or one Watch stream. Several links of one group share
  // its dialogs.
  std::string group;
  // The gateway itself: dialogs on a connection that it holds go through it and no other. Empty for
  // a Watch stream.
  std::string gateway;
};

// How instructions leave the core: one for each connected gateway and each Watch stream. The
// notifier takes one credit of the link for every instruction (Engine::AttachLink, AddCredit), so
// what is on its way is bounded by what the other side asked for.
class WatcherLink {
 public:
  virtual ~WatcherLink() = default;

  // Takes the instructions, in order; must not block, and may not call the engine back. Called from
  // any thread of the notifier, one call at a time, never after Engine::DetachLink has returned.
  virtual void Deliver(std::vector<Instruction> instructions) = 0;
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_WATCHER_LINK_H_
