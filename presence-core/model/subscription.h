#ifndef PRESENCE_CORE_MODEL_SUBSCRIPTION_H_
#define PRESENCE_CORE_MODEL_SUBSCRIPTION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "presence-core/model/address_of_record.h"
#include "presence-core/model/dialog.h"
#include "presence-core/model/event_name.h"
#include "presence-core/model/local_tag.h"
#include "presence-core/model/request_key.h"

namespace presence {

// The numbers are those of presence.v1.SubscriptionState.
enum class SubscriptionState { kActive = 1, kPending = 2, kTerminated = 3, kWaiting = 4 };

// RFC 6665 §4.1.3; the numbers are those of presence.v1.TerminationReason.
enum class TerminationReason {
  kNone = 0,
  kDeactivated = 1,
  kProbation = 2,
  kRejected = 3,
  kTimeout = 4,
  kGiveup = 5,
  kNoresource = 6,
  kInvariant = 7,
};

// Why a NOTIFY is sent; the numbers are those of presence.v1.NotifyCause.
enum class NotifyCause {
  kNone = 0,
  kInitial = 1,
  kRefresh = 2,
  kPublish = 3,
  kExpiry = 4,
  kRules = 5,
  kAdmin = 6,
  kWinfo = 7,
  kResync = 8,
  kTerminate = 9,
};

// One subscription as it is stored: an immutable row, replaced as a whole. Times are of
// Clock::Now().
//
// A terminated row is a *terminating* one: it ended, is out of winfo and answers 481, and stays
// only until its last NOTIFY is answered or given up.
struct Subscription {
  LocalTag id;
  // Order of creation within the resource; lists and the notifier's rounds go by it.
  uint64_t ordinal = 0;
  EventName event;  // with .winfo where it is one
  std::string event_id;
  WatcherUri watcher;
  // Another URI it was asserted to have (RFC 3325 §9.1); null for nearly everybody.
  std::shared_ptr<const WatcherUri> alias;
  SubscriptionState state = SubscriptionState::kActive;
  TerminationReason reason = TerminationReason::kNone;
  // Terminated: when the last NOTIFY is given up. Else: when it ends unless refreshed.
  absl::Time expires_at;
  absl::Time created_at;
  Dialog dialog;
  uint32_t remote_cseq = 0;
  // Highest CSeq and document version that may be sent without another durable change of this row.
  uint32_t cseq_limit = 0;
  // May see the state: what "active" says, remembered beyond the end for the last NOTIFY.
  bool is_authorized = false;
  // It was pending until the presentity approved it.
  bool was_approved = false;
  // Lives and dies with a stream of this process (Watch) or with one NOTIFY (fetch): never
  // journaled.
  bool is_transient = false;

  RequestKey last_request;
  absl::Duration granted;

  bool is_native() const { return dialog.call_id().empty(); }
  bool is_of(const WatcherUri& who) const {
    return watcher == who || (alias != nullptr && *alias == who);
  }
  bool is_live() const { return state != SubscriptionState::kTerminated; }
};

using SubscriptionPtr = std::shared_ptr<const Subscription>;

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_SUBSCRIPTION_H_
