#include <algorithm>
#include <utility>

#include "presence-core/engine/decide.h"
#include "presence-core/model/error.h"

namespace presence {

absl::StatusOr<absl::Duration> GrantLifetime(const Lifetimes& lifetimes, TooBrief too_brief,
                                             std::optional<absl::Duration> asked,
                                             bool is_subscription) {
  const absl::Duration wanted = asked.value_or(lifetimes.fallback);
  if (wanted == absl::ZeroDuration()) return wanted;
  if (wanted < lifetimes.minimum) {
    // RFC 6665 §4.2.1.1: 423 only for less than an hour; a longer wish is never too brief.
    const bool may_refuse = !is_subscription || wanted < absl::Hours(1);
    if (too_brief == TooBrief::kReject && may_refuse) {
      return IntervalTooBrief(wanted, lifetimes.minimum);
    }
    // A 200 to SUBSCRIBE must not lengthen what was asked for, unless the operator wants it raised.
    if (too_brief == TooBrief::kReject) return wanted;
    return lifetimes.minimum;
  }
  return std::min(wanted, lifetimes.maximum);
}

const PackageConfig& ConfigOf(const DecideContext& context) {
  return context.config.package(context.package.traits().name.text());
}

const Lifetimes& PublicationLifetimes(const DecideContext& context) {
  const PackageConfig& config = ConfigOf(context);
  return config.publication.has_value() ? *config.publication
                                        : context.package.traits().publication;
}

const Lifetimes& SubscriptionLifetimes(const DecideContext& context) {
  const PackageConfig& config = ConfigOf(context);
  return config.subscription.has_value() ? *config.subscription
                                         : context.package.traits().subscription;
}

WinfoEntry EntryOf(const Subscription& row, WinfoEvent event) {
  WinfoEntry entry;
  entry.id = row.ordinal;
  entry.watcher = row.watcher;
  entry.status = row.state;
  entry.event = event;
  entry.subscribed_at = row.created_at;
  if (row.is_live() && row.expires_at != absl::InfiniteFuture()) entry.expires_at = row.expires_at;
  return entry;
}

namespace {

WinfoEvent EventOf(TerminationReason reason) {
  switch (reason) {
    case TerminationReason::kDeactivated:
      return WinfoEvent::kDeactivated;
    case TerminationReason::kProbation:
      return WinfoEvent::kProbation;
    case TerminationReason::kRejected:
      return WinfoEvent::kRejected;
    case TerminationReason::kGiveup:
      return WinfoEvent::kGiveup;
    case TerminationReason::kNoresource:
    case TerminationReason::kInvariant:
      return WinfoEvent::kNoresource;
    case TerminationReason::kNone:
    case TerminationReason::kTimeout:
      return WinfoEvent::kTimeout;
  }
  return WinfoEvent::kTimeout;
}

// Tells those who watch the watchers that `row` is no more. A pending watcher whose time ran out is
// not gone but waiting (RFC 3857 §4.7.1).
void ReportEnd(const DecideContext& context, const Subscription& row, TerminationReason reason,
               Effects& effects) {
  if (row.event.is_winfo()) return;
  WinfoEvent event = EventOf(reason);
  if (row.state == SubscriptionState::kPending && reason == TerminationReason::kTimeout) {
    if (RememberWaiting(context, row.watcher, row.ordinal, effects)) return;
    // It waits already under the id of an earlier subscription, or there is no room to wait; this
    // id must not stay pending.
    event = WinfoEvent::kGiveup;
  }
  Subscription ended = row;
  ended.state = SubscriptionState::kTerminated;
  effects.ReportWatcher(EntryOf(ended, event));
}

}  // namespace

bool RememberWaiting(const DecideContext& context, const WatcherUri& watcher, uint64_t winfo_id,
                     Effects& effects) {
  const WatcherRecordPtr known = effects.FindWatcher(watcher);
  // The same end may come twice: the journal took the record, and its answer was lost.
  const bool is_same = known != nullptr && known->is_waiting() && known->ordinal == winfo_id;
  if (known != nullptr && known->is_waiting() && !is_same) return false;
  if (!is_same && effects.base().watchers().size() >= context.config.max_subscriptions) {
    return false;
  }
  auto record = known ? std::make_shared<WatcherRecord>(*known) : std::make_shared<WatcherRecord>();
  record->watcher = watcher;
  record->waits_until = context.now + context.config.waiting_lifetime;
  record->ordinal = winfo_id;
  WinfoEntry entry;
  entry.id = winfo_id;
  entry.watcher = watcher;
  entry.status = SubscriptionState::kWaiting;
  entry.event = WinfoEvent::kTimeout;
  entry.subscribed_at = context.now;
  effects.ReportWatcher(std::move(entry));
  effects.Put(WatcherRecordPtr(std::move(record)));
  return true;
}

void ForgetWaiting(const DecideContext& context, const WatcherUri& watcher, Effects& effects) {
  const WatcherRecordPtr record = effects.FindWatcher(watcher);
  if (record == nullptr || !record->is_waiting()) return;
  WinfoEntry gone;
  gone.id = record->ordinal;
  gone.watcher = watcher;
  gone.status = SubscriptionState::kTerminated;
  gone.event = WinfoEvent::kGiveup;
  gone.subscribed_at = context.now;
  effects.ReportWatcher(std::move(gone));
  if (record->decision == WatcherDecision::kNone) {
    effects.EraseWatcher(watcher);
    return;
  }
  auto row = std::make_shared<WatcherRecord>(*record);
  row->waits_until = absl::InfinitePast();
  effects.Put(WatcherRecordPtr(std::move(row)));
}

void Terminate(const DecideContext& context, const Subscription& row, TerminationReason reason,
               Effects& effects) {
  ReportEnd(context, row, reason, effects);
  auto ending = std::make_shared<Subscription>(row);
  ending->state = SubscriptionState::kTerminated;
  ending->reason = reason;
  if (reason == TerminationReason::kRejected) ending->is_authorized = false;
  ending->expires_at = context.now + 64 * context.config.sip_t1;
  const bool by_watcher = ending->granted == absl::ZeroDuration() && !ending->is_native();
  effects.Tell(ending->id, NotifyCause::kTerminate, by_watcher);
  effects.Put(SubscriptionPtr(std::move(ending)));
}

absl::Status DecideEnd(const DecideContext& context, const LocalTag& id, TerminationReason reason,
                       Effects& effects) {
  const SubscriptionPtr row = effects.FindSubscription(id);
  if (row == nullptr || !row->is_live()) return SubscriptionUnknown(id.text());
  Terminate(context, *row, reason, effects);
  return absl::OkStatus();
}

void DecideRemove(const DecideContext& context, const LocalTag& id, Effects& effects) {
  const SubscriptionPtr row = effects.FindSubscription(id);
  if (row == nullptr) return;
  if (row->is_live()) ReportEnd(context, *row, TerminationReason::kTimeout, effects);
  effects.EraseSubscription(id);
}

void DecideRemoveUnlessRefreshed(const DecideContext& context, const Subscription& seen,
                                 Effects& effects) {
  const SubscriptionPtr row = effects.FindSubscription(seen.id);
  const bool is_as_seen =
      row != nullptr && row->last_request == seen.last_request && row->dialog == seen.dialog;
  if (is_as_seen) DecideRemove(context, seen.id, effects);
}

void DecideFinish(const LocalTag& id, Effects& effects) {
  const SubscriptionPtr row = effects.FindSubscription(id);
  if (row != nullptr && !row->is_live()) effects.EraseSubscription(id);
}

void DecideRaiseLimit(const LocalTag& id, uint32_t cseq, Effects& effects) {
  const SubscriptionPtr row = effects.FindSubscription(id);
  if (row == nullptr || row->cseq_limit >= cseq + kCseqBlock) return;
  auto raised = std::make_shared<Subscription>(*row);
  raised->cseq_limit = cseq + kCseqBlock;
  effects.Put(SubscriptionPtr(std::move(raised)));
}

bool DecideExpirePublication(const DecideContext& context, PublicationId id, Effects& effects) {
  const PublicationPtr row = effects.FindPublication(id);
  if (row == nullptr || row->expires_at > context.now) return false;
  effects.ErasePublication(id);
  if (!context.config.expire_silently) effects.ChangeState(NotifyCause::kExpiry, "");
  return true;
}

bool DecideExpireSubscription(const DecideContext& context, const LocalTag& id, Effects& effects) {
  const SubscriptionPtr row = effects.FindSubscription(id);
  if (row == nullptr || row->expires_at > context.now) return false;
  if (row->is_live()) {
    Terminate(context, *row, TerminationReason::kTimeout, effects);
  } else {
    effects.EraseSubscription(id);  // its last NOTIFY was never answered
  }
  return true;
}

bool DecideExpireWaiting(const DecideContext& context, const WatcherUri& watcher,
                         Effects& effects) {
  const WatcherRecordPtr record = effects.FindWatcher(watcher);
  if (record == nullptr || !record->is_waiting() || record->waits_until > context.now) return false;
  WinfoEntry entry;
  entry.id = record->ordinal;
  entry.watcher = watcher;
  entry.status = SubscriptionState::kTerminated;
  entry.event = WinfoEvent::kGiveup;
  entry.subscribed_at = context.now;
  effects.ReportWatcher(std::move(entry));
  if (record->decision == WatcherDecision::kNone) {
    effects.EraseWatcher(watcher);
    return true;
  }
  auto kept = std::make_shared<WatcherRecord>(*record);
  kept->waits_until = absl::InfinitePast();
  effects.Put(WatcherRecordPtr(std::move(kept)));
  return true;
}

size_t DecideExpireAnswers(const DecideContext& context, AnswerPosition& position,
                           Effects& effects) {
  const auto& answers = effects.base().answers_by_time();
  size_t seen = 0;
  size_t expired = 0;
  auto it = answers.lower_bound(position);
  for (; it != answers.end() && it->first <= context.now && seen < kRowsPerSlice; ++it, ++seen) {
    const AnswerRecordPtr present = effects.FindAnswer(it->second);
    if (present == nullptr || present->kept_until > context.now) continue;
    effects.EraseAnswer(it->second);
    ++expired;
  }
  effects.CountRows(seen);
  const bool is_complete = it == answers.end() || it->first > context.now;
  position = is_complete ? AnswerPosition(absl::InfiniteFuture(), RequestKey()) : *it;
  return expired;
}

}  // namespace presence
