#include <utility>

#include "presence-core/engine/decide.h"
#include "presence-core/model/error.h"

namespace presence {
namespace {

// Brings one subscription in line with the verdict; true when its watcher is to be told.
bool Align(const DecideContext& context, const SubscriptionPtr& row, Authorization authorization,
           Effects& effects, RefreshOutcome& outcome) {
  if (authorization == Authorization::kBlock) {
    Terminate(context, *row, TerminationReason::kRejected, effects);
    ++outcome.terminated;
    return true;
  }
  const SubscriptionState state = authorization == Authorization::kAllow
                                      ? SubscriptionState::kActive
                                      : SubscriptionState::kPending;
  if (row->state == state) return false;
  auto changed = std::make_shared<Subscription>(*row);
  changed->state = state;
  changed->is_authorized = state == SubscriptionState::kActive;
  changed->was_approved = changed->is_authorized;
  const WinfoEvent event = changed->was_approved ? WinfoEvent::kApproved : WinfoEvent::kSubscribe;
  if (!row->event.is_winfo()) effects.ReportWatcher(EntryOf(*changed, event));
  effects.Tell(row->id, NotifyCause::kRules, false);
  effects.Put(SubscriptionPtr(std::move(changed)));
  return true;
}

// A decision about a waiting watcher ends the waiting (RFC 3857 §4.7.1: approved or rejected).
void EndWaiting(const DecideContext& context, const WatcherRecord& record, WatcherDecision decision,
                Effects& effects) {
  if (!record.is_waiting()) return;
  WinfoEntry entry;
  entry.id = record.ordinal;
  entry.watcher = record.watcher;
  entry.status = SubscriptionState::kTerminated;
  entry.event = decision == WatcherDecision::kBlock ? WinfoEvent::kRejected : WinfoEvent::kApproved;
  entry.subscribed_at = context.now;
  effects.ReportWatcher(std::move(entry));
}

WatcherDecision DecisionOn(const WatcherUri& watcher, const Effects& effects) {
  const WatcherRecordPtr record = effects.FindWatcher(watcher);
  return record ? record->decision : WatcherDecision::kNone;
}

// RFC 4745 §10.2: of what applies the highest value counts (RFC 5025 §3.2.1: block, confirm,
// allow).
WatcherDecision Stronger(WatcherDecision a, WatcherDecision b) {
  for (WatcherDecision d :
       {WatcherDecision::kAllow, WatcherDecision::kConfirm, WatcherDecision::kBlock}) {
    if (a == d || b == d) return d;
  }
  return WatcherDecision::kNone;
}

}  // namespace

Verdict Weigh(const DecideContext& context, const EventName& event, const WatcherUri& watcher,
              const WatcherUri* alias, const Effects& effects) {
  const EventTraits& traits = context.package.traits();
  const WatcherDecision decision = DecisionOn(watcher, effects);
  if (alias == nullptr) {
    return context.policy.Authorize(effects.key(), event, watcher, decision, traits);
  }
  const WatcherDecision either = Stronger(decision, DecisionOn(*alias, effects));
  const Verdict by_name = context.policy.Authorize(effects.key(), event, watcher, either, traits);
  const Verdict by_alias = context.policy.Authorize(effects.key(), event, *alias, either, traits);
  return by_alias.authorization == Authorization::kAllow ? by_alias : by_name;
}

absl::Status DecideAboutWatcher(const DecideContext& context, const DecideWatcherCommand& command,
                                Effects& effects) {
  const RequestKey& request = command.idempotency.request_id;
  if (AnswerRecordPtr answer = effects.FindAnswer(request)) {
    if (answer->content != command.idempotency.content) {
      return RequestIdReused("of this decision");
    }
    return absl::OkStatus();
  }
  const WatcherRecordPtr known = effects.FindWatcher(command.watcher);
  auto record = known ? std::make_shared<WatcherRecord>(*known) : std::make_shared<WatcherRecord>();
  record->watcher = command.watcher;
  record->decision = command.decision;
  if (command.decision == WatcherDecision::kAllow || command.decision == WatcherDecision::kBlock) {
    EndWaiting(context, *record, command.decision, effects);
    record->waits_until = absl::InfinitePast();
  }
  if (record->decision == WatcherDecision::kNone && !record->is_waiting()) {
    effects.EraseWatcher(command.watcher);
  } else {
    effects.Put(WatcherRecordPtr(std::move(record)));
  }
  if (!request.empty()) {
    effects.Put(
        std::make_shared<const AnswerRecord>(AnswerRecord{request,
                                                          command.idempotency.content,
                                                          {},
                                                          absl::ZeroDuration(),
                                                          context.now + kRequestIdRemembered,
                                                          StateKind::kDecision}));
  }
  return absl::OkStatus();
}

uint64_t DecideReauthorize(const DecideContext& context, uint64_t from, const WatcherUri* only,
                           Effects& effects, RefreshOutcome& outcome) {
  const auto& rows = effects.base().subscriptions();
  size_t seen = 0;
  for (auto it = rows.lower_bound(from); it != rows.end(); ++it) {
    if (seen++ == kRowsPerSlice) return it->first;
    effects.CountRows(1);
    const SubscriptionPtr row = effects.FindSubscription(it->second->id);
    if (row == nullptr || !row->is_live() || (only != nullptr && !row->is_of(*only))) continue;
    ++outcome.examined;
    const Verdict verdict = Weigh(context, row->event, row->watcher, row->alias.get(), effects);
    if (Align(context, row, verdict.authorization, effects, outcome)) ++outcome.notified;
  }
  return 0;
}

}  // namespace presence
