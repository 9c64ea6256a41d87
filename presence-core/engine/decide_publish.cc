#include <algorithm>
#include <utility>

#include "presence-core/engine/decide.h"
#include "presence-core/model/error.h"

namespace presence {
namespace {

constexpr absl::Duration kRemovalRemembered = absl::Seconds(64);

PublishOutcome OutcomeOf(const Effects& effects, Etag etag, absl::Duration granted) {
  return {std::move(etag), granted, effects.row().revision, effects.live_subscriptions()};
}

// The answer this request got when it came before; nothing if it is new.
absl::StatusOr<std::optional<PublishOutcome>> FindEarlierAnswer(const DecideContext& context,
                                                                const PublishCommand& command,
                                                                const Effects& effects) {
  if (AnswerRecordPtr answer = effects.FindAnswer(command.idempotency.request_id)) {
    if (answer->content != command.idempotency.content) {
      return RequestIdReused("of this Publish");
    }
    return OutcomeOf(effects, answer->etag, answer->granted);
  }
  const RequestKey& key = command.idempotency.sip;
  if (key.empty()) return std::nullopt;
  if (AnswerRecordPtr answer = effects.FindAnswer(key)) {
    return OutcomeOf(effects, answer->etag, answer->granted);
  }
  for (const PublicationPtr& row : effects.Publications()) {
    const bool is_live = row->expires_at > context.now;
    if (is_live && (row->last_request == key || row->first_request == key)) {
      return OutcomeOf(effects, row->etag, row->granted);
    }
  }
  return std::nullopt;
}

PublicationPtr FindByEtag(const DecideContext& context, const Etag& etag, const Effects& effects) {
  for (const PublicationPtr& row : effects.Publications()) {
    if (row->etag == etag && row->expires_at > context.now) return row;
  }
  return nullptr;
}

// A device whose answer got lost publishes anew with the same Call-ID and From tag: what it left
// behind is the same publication, and must not stay as a ghost beside the new one.
PublicationPtr FindUnanswered(const DecideContext& context, const PublishCommand& command,
                              const Effects& effects) {
  if (!context.config.publish_replace_same_call_id || command.origin.empty()) return nullptr;
  for (const PublicationPtr& row : effects.Publications()) {
    if (row->origin == command.origin && !row->is_answer_delivered) return row;
  }
  return nullptr;
}

absl::Duration Told(const DecideContext& context, absl::Duration granted) {
  return std::max(granted - context.config.publish_expires_margin,
                  std::min(granted, absl::Seconds(1)));
}

// A record for requests that no row remembers: all with a request_id, and removals.
void RememberAnswer(const DecideContext& context, const PublishCommand& command,
                    const PublishOutcome& outcome, bool is_removal, Effects& effects) {
  const auto remember = [&](const RequestKey& key, absl::Duration keep) {
    if (key.empty()) return;
    effects.Put(std::make_shared<const AnswerRecord>(
        AnswerRecord{key, command.idempotency.content, outcome.etag, outcome.granted,
                     context.now + keep, StateKind::kPublication}));
  };
  remember(command.idempotency.request_id, kRequestIdRemembered);
  if (is_removal) remember(command.idempotency.sip, kRemovalRemembered);
}

// Takes a publication away. A copy of the request that made it may still be on its way, by another
// gateway say: it gets the answer it had and does not bring the publication back.
void TakeAway(const DecideContext& context, const Publication& row, Effects& effects) {
  effects.ErasePublication(row.id);
  if (row.first_request.empty()) return;
  effects.Put(std::make_shared<const AnswerRecord>(AnswerRecord{row.first_request,
                                                                {},
                                                                row.etag,
                                                                row.granted,
                                                                context.now + kRemovalRemembered,
                                                                StateKind::kPublication}));
}

PublishOutcome Remove(const DecideContext& context, const PublishCommand& command,
                      const Publication& row, Effects& effects) {
  TakeAway(context, row, effects);
  effects.ChangeState(NotifyCause::kPublish, command.sender);
  // RFC 3903 §6 step 6: even this answer carries an entity-tag, which then names nothing.
  return OutcomeOf(effects, Etag::Generate(context.random), absl::ZeroDuration());
}

PublishOutcome Renew(const DecideContext& context, const PublishCommand& command,
                     const Publication& old, absl::Duration granted, Effects& effects) {
  auto row = std::make_shared<Publication>(old);
  if (!context.package.traits().keeps_etag) row->etag = Etag::Generate(context.random);
  row->expires_at = context.now + granted;
  row->last_request = command.idempotency.sip;
  row->granted = Told(context, granted);
  row->is_answer_delivered = true;
  if (command.document.has_value()) {
    row->document = *command.document;
    // Not by a refresh: the newer document would win over others' that came after it, and the state
    // would have changed without anybody being told.
    row->received_at = context.now;
    row->priority = command.priority;
    row->sender = command.sender;
    // RFC 3903 §4.4: a refresh without a body changes no state, so it tells nobody.
    effects.ChangeState(NotifyCause::kPublish, command.sender);
  }
  PublishOutcome outcome = OutcomeOf(effects, row->etag, row->granted);
  effects.Put(std::move(row));
  return outcome;
}

PublishOutcome Create(const DecideContext& context, const PublishCommand& command,
                      absl::Duration granted, Effects& effects) {
  if (PublicationPtr left_behind = FindUnanswered(context, command, effects)) {
    TakeAway(context, *left_behind, effects);
  }
  auto row = std::make_shared<Publication>();
  row->id = effects.NextOrdinal();
  row->etag = Etag::Generate(context.random);
  row->document = *command.document;
  row->expires_at = context.now + granted;
  row->received_at = context.now;
  row->priority = command.priority;
  row->sender = command.sender;
  row->first_request = command.idempotency.sip;
  row->last_request = command.idempotency.sip;
  row->origin = command.origin;
  row->granted = Told(context, granted);
  effects.ChangeState(NotifyCause::kPublish, command.sender);
  PublishOutcome outcome = OutcomeOf(effects, row->etag, row->granted);
  effects.Put(std::move(row));
  return outcome;
}

absl::Status CheckRoom(const DecideContext& context, const PublishCommand& command,
                       const Effects& effects) {
  const size_t held = effects.Publications().size();
  if (held < context.config.max_publications) return absl::OkStatus();
  if (FindUnanswered(context, command, effects) != nullptr) return absl::OkStatus();
  return QuotaExceeded("publications of one presentity", context.config.max_publications);
}

}  // namespace

absl::StatusOr<PublishOutcome> DecidePublish(const DecideContext& context,
                                             const PublishCommand& command,
                                             const absl::Status& document_check, Effects& effects) {
  auto earlier = FindEarlierAnswer(context, command, effects);
  if (!earlier.ok()) return earlier.status();
  if (earlier->has_value()) return **earlier;

  // RFC 3903 §6 step 3: an entity-tag that names nothing is 412, never a new publication.
  const bool is_initial = command.etag.empty();
  PublicationPtr row;
  if (!is_initial) {
    row = FindByEtag(context, command.etag, effects);
    if (row == nullptr) return EtagMismatch(command.etag.text());
  }
  // Step 4: the lifetime.
  absl::StatusOr<absl::Duration> granted = GrantLifetime(
      PublicationLifetimes(context), ConfigOf(context).too_brief, command.expiry, false);
  if (!granted.ok()) return granted.status();
  // Step 5: the body.
  if (is_initial && !command.document.has_value()) {
    return InvalidField("document", "an initial publication needs one");
  }
  if (!document_check.ok()) return document_check;

  const bool is_removal = *granted == absl::ZeroDuration();
  if (is_initial && !is_removal) {
    absl::Status room = CheckRoom(context, command, effects);
    if (!room.ok()) return room;
  }
  if (command.validate_only || (is_initial && is_removal)) {
    // An initial PUBLISH that ends at once leaves nothing behind, and there is nothing to tell.
    return OutcomeOf(effects, Etag::Generate(context.random), *granted);
  }
  // Step 6: process it.
  PublishOutcome outcome = is_removal   ? Remove(context, command, *row, effects)
                           : is_initial ? Create(context, command, *granted, effects)
                                        : Renew(context, command, *row, *granted, effects);
  RememberAnswer(context, command, outcome, is_removal, effects);
  return outcome;
}

}  // namespace presence
