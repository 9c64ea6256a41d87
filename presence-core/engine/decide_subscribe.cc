#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "presence-core/engine/decide.h"
#include "presence-core/model/error.h"

namespace presence {
namespace {

constexpr absl::Duration kEndRemembered = absl::Seconds(64);

RequestKey KeyOf(const SubscribeCommand& command) {
  return RequestKey::Of({"SUBSCRIBE", command.dialog.call_id, command.dialog.remote_tag,
                         std::to_string(command.cseq)});
}

bool Accepts(const SubscribeCommand& command, const std::string& type) {
  const std::string range = type.substr(0, type.find('/')) + "/*";
  return std::any_of(command.accept.begin(), command.accept.end(),
                     [&](const std::string& a) { return a == type || a == range || a == "*/*"; });
}

// RFC 3261 §20.1, RFC 6665 §3.1.3: without Accept the package's default is fine, with one it must
// hold a type that we make.
absl::Status CheckAccept(const DecideContext& context, const SubscribeCommand& command) {
  const std::string made = command.event.is_winfo()
                               ? std::string(kWinfoContentType)
                               : context.package.traits().content_types.front();
  if (!command.has_accept || Accepts(command, made)) return absl::OkStatus();
  return NotAcceptable(made);
}

SubscribeOutcome OutcomeOf(const Subscription& row, bool created) {
  return {row.id, row.granted, row.state, created, std::string(row.dialog.adopted_tag())};
}

// The tag that an in-dialog request named, where it is not the id.
std::string AdoptedTag(const LocalTag& id, const SubscribeCommand& command) {
  return command.local_tag == id.text() ? std::string() : command.local_tag;
}

bool IsSameUse(const Subscription& row, const SubscribeCommand& command) {
  return row.event == command.event && row.event_id == command.event_id;
}

// Dialogs that this initial SUBSCRIBE takes the place of: those of the same phone that never
// learned our tag (same From tag), and with subscribe.replace_same_call_id those it forgot when it
// restarted.
std::vector<SubscriptionPtr> FindReplaced(const DecideContext& context,
                                          const SubscribeCommand& command,
                                          const std::vector<SubscriptionPtr>& of_call) {
  std::vector<SubscriptionPtr> replaced;
  for (const SubscriptionPtr& row : of_call) {
    const bool is_same_dialog = row->dialog.remote_tag() == command.dialog.remote_tag;
    if (!row->is_live() || !IsSameUse(*row, command)) continue;
    if (is_same_dialog || context.config.subscribe_replace_same_call_id) replaced.push_back(row);
  }
  return replaced;
}

// The answer to a request that was answered before. One that comes again over another connection
// says that the one it came over first is gone (RFC 5626 §5.3): the dialog moves, and the NOTIFY
// that went into the dead one is owed again.
SubscribeOutcome AnswerAgain(const SubscribeCommand& command, const Subscription& row, bool created,
                             Effects& effects) {
  const bool moved = row.dialog.flow() != command.dialog.flow ||
                     row.dialog.flow_gateway() != command.dialog.flow_gateway;
  if (moved && row.is_live() && row.last_request == KeyOf(command)) {
    auto bound = std::make_shared<Subscription>(row);
    bound->dialog = row.dialog.Refreshed(command.dialog);
    effects.Tell(row.id, NotifyCause::kRefresh, true);
    effects.Put(SubscriptionPtr(std::move(bound)));
  }
  return OutcomeOf(row, created);
}

std::optional<SubscribeOutcome> FindEarlierAnswer(const SubscribeCommand& command,
                                                  const RequestKey& key,
                                                  const std::vector<SubscriptionPtr>& of_call,
                                                  Effects& effects) {
  for (const SubscriptionPtr& row : of_call) {
    if (!IsSameUse(*row, command)) continue;
    // A late copy of the request that made the dialog: it has been refreshed since, and goes on.
    const bool is_late_copy = row->is_live() && command.cseq <= row->remote_cseq &&
                              row->dialog.remote_tag() == command.dialog.remote_tag;
    if (row->last_request == key || is_late_copy) return AnswerAgain(command, *row, true, effects);
  }
  return std::nullopt;
}

std::shared_ptr<Subscription> NewRow(const DecideContext& context, const SubscribeCommand& command,
                                     absl::Duration granted, bool is_transient, Effects& effects) {
  auto row = std::make_shared<Subscription>();
  row->id = LocalTag::Generate(effects.key().StableHash(), context.random);
  row->is_transient = is_transient;
  row->ordinal = is_transient ? effects.NextTransientOrdinal(context.now) : effects.NextOrdinal();
  row->event = command.event;
  row->event_id = command.event_id;
  row->watcher = command.watcher;
  if (command.alias.has_value()) row->alias = std::make_shared<const WatcherUri>(*command.alias);
  row->created_at = context.now;
  row->dialog = Dialog(command.dialog);
  row->remote_cseq = command.cseq;
  row->cseq_limit = kCseqBlock;
  row->last_request = KeyOf(command);
  row->granted = granted;
  row->expires_at = context.now + granted + context.config.subscribe_grace;
  return row;
}

// One NOTIFY and it is over: a fetch (RFC 6665 §4.4.3), or a refusal told the way Kamailio does.
// Not stored.
SubscribeOutcome AnswerOnce(const DecideContext& context, std::shared_ptr<Subscription> row,
                            TerminationReason reason, Effects& effects) {
  row->state = SubscriptionState::kTerminated;
  row->reason = reason;
  row->granted = absl::ZeroDuration();
  row->expires_at = context.now + 64 * context.config.sip_t1;
  effects.Tell(row->id, NotifyCause::kTerminate, true);
  SubscribeOutcome outcome = OutcomeOf(*row, true);
  effects.Put(SubscriptionPtr(std::move(row)));
  return outcome;
}

bool IsToldAtOnce(const DecideContext& context, const Subscription& row, const Effects& effects) {
  switch (ConfigOf(context).initial_notify) {
    case InitialNotify::kAlways:
      return true;
    case InitialNotify::kWhenState:
      return row.event.is_winfo() || !effects.Publications().empty();
    case InitialNotify::kNever:
      return false;
  }
  return true;
}

SubscribeOutcome Begin(const DecideContext& context, std::shared_ptr<Subscription> row,
                       Effects& effects) {
  if (!row->event.is_winfo()) effects.ReportWatcher(EntryOf(*row, WinfoEvent::kSubscribe));
  if (IsToldAtOnce(context, *row, effects)) {
    effects.Tell(row->id, NotifyCause::kInitial, true);
  } else {
    effects.TakeAsTold(row->id);
  }
  SubscribeOutcome outcome = OutcomeOf(*row, true);
  effects.Put(SubscriptionPtr(std::move(row)));
  return outcome;
}

SubscriptionState StateOf(Authorization authorization) {
  return authorization == Authorization::kAllow ? SubscriptionState::kActive
                                                : SubscriptionState::kPending;
}

absl::Status CheckInDialog(const DecideContext& context, const SubscribeCommand& command,
                           const SubscriptionPtr& row) {
  // RFC 3261 §12.2.2: Call-ID and both tags name a dialog; a tag alone is a guess.
  const bool is_of_tag = row != nullptr && (row->dialog.adopted_tag().empty() ||
                                            row->dialog.adopted_tag() == command.local_tag);
  if (!is_of_tag || row->is_native() || row->dialog.call_id() != command.dialog.call_id ||
      row->dialog.remote_tag() != command.dialog.remote_tag || !row->is_live() ||
      row->expires_at <= context.now) {
    return SubscriptionUnknown(command.local_tag);
  }
  if (!IsSameUse(*row, command)) {
    return DialogEventMismatch(
        command.event_id.empty() ? command.event.text()
                                 : fmt::format("{};id={}", command.event.text(), command.event_id),
        row->event_id.empty() ? row->event.text()
                              : fmt::format("{};id={}", row->event.text(), row->event_id));
  }
  // RFC 3261 §12.2.2 refuses a lower one; an equal one is no step back.
  const bool is_lower = command.cseq < row->remote_cseq;
  if (is_lower && row->remote_cseq - command.cseq > context.config.cseq_tolerance) {
    return CseqTooOld(command.cseq, row->remote_cseq);
  }
  return CheckAccept(context, command);
}

SubscribeOutcome End(const DecideContext& context, const SubscribeCommand& command,
                     const Subscription& row, Effects& effects) {
  const RequestKey key = KeyOf(command);
  effects.Put(std::make_shared<const AnswerRecord>(AnswerRecord{
      key, {}, {}, absl::ZeroDuration(), context.now + kEndRemembered, StateKind::kSubscription}));
  auto ending = std::make_shared<Subscription>(row);
  ending->dialog = row.dialog.Refreshed(command.dialog);
  ending->remote_cseq = std::max(row.remote_cseq, command.cseq);
  ending->last_request = key;
  ending->granted = absl::ZeroDuration();
  Terminate(context, *ending, TerminationReason::kTimeout, effects);
  return {row.id, absl::ZeroDuration(), SubscriptionState::kTerminated, false,
          AdoptedTag(row.id, command)};
}

}  // namespace

absl::Status CheckRoom(const DecideContext& context, const WatcherUri& watcher,
                       const Effects& effects) {
  const EngineConfig& config = context.config;
  if (effects.subscription_count() >= config.max_subscriptions) {
    return QuotaExceeded("subscriptions to one presentity", config.max_subscriptions);
  }
  if (effects.base().CountOf(watcher) >= config.max_per_watcher) {
    return QuotaExceeded("subscriptions of one watcher to one presentity", config.max_per_watcher);
  }
  return absl::OkStatus();
}

absl::StatusOr<SubscribeOutcome> DecideSubscribe(const DecideContext& context,
                                                 const SubscribeCommand& command,
                                                 Effects& effects) {
  const RequestKey key = KeyOf(command);
  // A Call-ID is no secret: only the watcher itself takes the place of its own dialogs.
  const std::vector<SubscriptionPtr> of_call =
      effects.FindByCallId(command.watcher, command.dialog.call_id);
  effects.CountRows(of_call.size());
  if (auto earlier = FindEarlierAnswer(command, key, of_call, effects)) return *earlier;

  if (absl::Status status = CheckAccept(context, command); !status.ok()) return status;
  absl::StatusOr<absl::Duration> granted = GrantLifetime(
      SubscriptionLifetimes(context), ConfigOf(context).too_brief, command.expiry, true);
  if (!granted.ok()) return granted.status();
  const WatcherUri* alias = command.alias.has_value() ? &*command.alias : nullptr;
  const Verdict verdict = Weigh(context, command.event, command.watcher, alias, effects);
  const bool is_blocked = verdict.authorization == Authorization::kBlock;
  if (is_blocked && context.config.reject_how == RejectHow::kImmediately) {
    return WatcherBlocked(command.watcher.text(), effects.key().presentity.text());
  }
  const std::vector<SubscriptionPtr> replaced = FindReplaced(context, command, of_call);
  if (replaced.empty()) {
    if (absl::Status room = CheckRoom(context, command.watcher, effects); !room.ok()) return room;
  }

  for (const SubscriptionPtr& row : replaced) DecideRemove(context, row->id, effects);
  const bool is_fetch = *granted == absl::ZeroDuration();
  std::shared_ptr<Subscription> row =
      NewRow(context, command, *granted, is_blocked || is_fetch, effects);
  if (is_blocked) return AnswerOnce(context, std::move(row), TerminationReason::kRejected, effects);
  row->state = StateOf(verdict.authorization);
  row->is_authorized = verdict.authorization == Authorization::kAllow;
  // RFC 3857 §4.7.1: the fetch of an undecided watcher leaves it waiting for the decision.
  if (is_fetch && !row->is_authorized) {
    RememberWaiting(context, row->watcher, row->ordinal, effects);
  } else if (!command.event.is_winfo()) {
    ForgetWaiting(context, command.watcher, effects);
  }
  if (!is_fetch) return Begin(context, std::move(row), effects);
  return AnswerOnce(context, std::move(row), TerminationReason::kTimeout, effects);
}

absl::StatusOr<SubscribeOutcome> DecideInDialog(const DecideContext& context, const LocalTag& id,
                                                const SubscribeCommand& command, Effects& effects) {
  const RequestKey key = KeyOf(command);
  if (AnswerRecordPtr answer = effects.FindAnswer(key)) {
    return SubscribeOutcome{id, answer->granted, SubscriptionState::kTerminated, false,
                            AdoptedTag(id, command)};
  }
  const SubscriptionPtr row = effects.FindSubscription(id);
  if (row != nullptr && row->last_request == key) return AnswerAgain(command, *row, false, effects);
  if (absl::Status status = CheckInDialog(context, command, row); !status.ok()) return status;
  absl::StatusOr<absl::Duration> granted = GrantLifetime(
      SubscriptionLifetimes(context), ConfigOf(context).too_brief, command.expiry, true);
  if (!granted.ok()) return granted.status();

  if (*granted == absl::ZeroDuration()) return End(context, command, *row, effects);
  auto refreshed = std::make_shared<Subscription>(*row);
  refreshed->dialog = row->dialog.Refreshed(command.dialog);
  refreshed->remote_cseq = std::max(row->remote_cseq, command.cseq);
  refreshed->last_request = key;
  refreshed->granted = *granted;
  refreshed->expires_at = context.now + *granted + context.config.subscribe_grace;
  // RFC 6665 §4.2.1.2: every accepted SUBSCRIBE gets a NOTIFY, at once.
  effects.Tell(id, NotifyCause::kRefresh, true);
  SubscribeOutcome outcome = OutcomeOf(*refreshed, false);
  effects.Put(SubscriptionPtr(std::move(refreshed)));
  return outcome;
}

absl::StatusOr<WatchOutcome> DecideWatch(const DecideContext& context, const WatchCommand& command,
                                         Effects& effects) {
  const Verdict verdict = Weigh(context, command.event, command.watcher, nullptr, effects);
  if (verdict.authorization == Authorization::kBlock) {
    return WatcherBlocked(command.watcher.text(), effects.key().presentity.text());
  }
  if (absl::Status room = CheckRoom(context, command.watcher, effects); !room.ok()) return room;
  SubscribeCommand as_subscribe;
  as_subscribe.event = command.event;
  as_subscribe.watcher = command.watcher;
  as_subscribe.dialog.gateway = command.link;
  as_subscribe.dialog.local_uri = command.presentity.text();
  std::shared_ptr<Subscription> row =
      NewRow(context, as_subscribe, absl::ZeroDuration(), /*is_transient=*/true, effects);
  row->last_request = {};
  row->state = StateOf(verdict.authorization);
  row->is_authorized = verdict.authorization == Authorization::kAllow;
  row->expires_at = absl::InfiniteFuture();  // it ends with its stream
  row->cseq_limit = UINT32_MAX;              // numbers of a stream outlive nothing
  if (!command.event.is_winfo()) {
    ForgetWaiting(context, command.watcher, effects);
    effects.ReportWatcher(EntryOf(*row, WinfoEvent::kSubscribe));
  }

  WatchOutcome outcome{row->id, row->state, effects.row().revision, false};
  outcome.is_current = row->is_authorized && !command.event.is_winfo() &&
                       command.known.has_value() && *command.known == outcome.revision;
  if (outcome.is_current) {
    effects.TakeAsTold(row->id);
  } else {
    effects.Tell(row->id, NotifyCause::kInitial, true);
  }
  effects.Put(SubscriptionPtr(std::move(row)));
  return outcome;
}

}  // namespace presence
