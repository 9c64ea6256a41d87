#include <algorithm>
#include <utility>

#include "presence-core/engine/decide.h"
#include "presence-core/engine/dialog_aliases.h"
#include "presence-core/model/error.h"

namespace presence {
namespace {

// RFC 3261 §8.1.1.5: a CSeq is less than 2^31. Room is left for those still to come.
constexpr uint32_t kHighestCseq = UINT32_C(0x7FFFFFFF) - (1 << 20);

// A document has no lifetime: one that its owner took away stays away this long.
constexpr absl::Duration kDocumentRemembered = absl::Hours(24 * 30);

// An import is run again, after a failure or to be sure, when what it brought has gone on here: the
// publication has another entity-tag, or has ended, as the dialog may have. So what was taken is
// remembered as long as the same could come again.
void Remember(const RequestKey& key, absl::Time until, StateKind about, Effects& effects) {
  effects.Put(std::make_shared<const AnswerRecord>(
      AnswerRecord{key, {}, {}, absl::ZeroDuration(), until, about}));
}

// --- Publications.

PublicationPtr FindByEtag(const Etag& etag, const Effects& effects) {
  for (const PublicationPtr& row : effects.Publications()) {
    if (row->etag == etag) return row;
  }
  return nullptr;
}

absl::StatusOr<ImportOutcome> Import(const DecideContext& context, const ImportCommand& command,
                                     const ImportedPublication& item, Effects& effects) {
  if (item.expires_at <= context.now) return ImportOutcome::kSkipped;
  const RequestKey request = RequestKey::Of({"Import", "publication", item.etag.text()});
  const PublicationPtr known = FindByEtag(item.etag, effects);
  const bool is_same = known != nullptr && known->document == item.document;
  if (is_same || (known == nullptr && effects.FindAnswer(request) != nullptr)) {
    return ImportOutcome::kTakenBefore;
  }
  if (known != nullptr && !command.replaces) return ImportOutcome::kSkipped;
  if (known == nullptr && effects.Publications().size() >= context.config.max_publications) {
    return QuotaExceeded("publications of one presentity", context.config.max_publications);
  }
  auto row = known ? std::make_shared<Publication>(*known) : std::make_shared<Publication>();
  if (known == nullptr) row->id = effects.NextOrdinal();
  row->etag = item.etag;
  row->document = item.document;
  row->granted = std::min(item.expires_at - context.now, PublicationLifetimes(context).maximum);
  row->expires_at = context.now + row->granted;
  row->received_at = std::min(item.received_at, context.now);
  row->priority = item.priority;
  row->sender = item.sender;
  // Its publisher knows the entity-tag, so a new initial PUBLISH is another publication.
  row->is_answer_delivered = true;
  effects.ChangeState(NotifyCause::kPublish, "");
  effects.Put(PublicationPtr(std::move(row)));
  Remember(request, item.expires_at, StateKind::kPublication, effects);
  return ImportOutcome::kTaken;
}

// --- Subscriptions.

// The row that the dialog gets, or has: an own tag stays the id, any other makes one.
LocalTag IdOf(const ImportedSubscription& item, const ResourceKey& key) {
  const uint32_t hash = key.StableHash();
  const std::optional<LocalTag> own = LocalTag::Parse(item.local_tag);
  if (own.has_value() && own->resource_hash() == hash) return *own;
  return LocalTag::Adopt(
      hash, DialogAliases::KeyOf(item.dialog.call_id, item.local_tag, item.dialog.remote_tag));
}

absl::Status CheckDialog(const ImportedSubscription& item, const Subscription* known) {
  if (std::max(item.local_cseq, item.document_version) > kHighestCseq) {
    return InvalidField("subscription.local_cseq", "there are no higher ones left");
  }
  if (known != nullptr && known->event != item.event) {
    return InvalidField("subscription.event", "the dialog is here with another event package");
  }
  return absl::OkStatus();
}

bool IsSame(const Subscription& row, const ImportedSubscription& item) {
  return row.remote_cseq >= item.remote_cseq && row.dialog.call_id() == item.dialog.call_id &&
         row.dialog.remote_tag() == item.dialog.remote_tag &&
         row.dialog.remote_target() == item.dialog.remote_target;
}

std::shared_ptr<Subscription> RowOf(const DecideContext& context, const ImportedSubscription& item,
                                    const LocalTag& id, const Subscription* known,
                                    Effects& effects) {
  auto row = std::make_shared<Subscription>();
  row->id = id;
  row->ordinal = known != nullptr ? known->ordinal : effects.NextOrdinal();
  row->created_at = known != nullptr ? known->created_at : context.now;
  row->event = item.event;
  row->event_id = item.event_id;
  row->watcher = item.watcher;
  DialogParts dialog = item.dialog;
  dialog.adopted_tag = item.local_tag == id.text() ? std::string() : item.local_tag;
  row->dialog = Dialog(dialog);
  row->remote_cseq = item.remote_cseq;
  // The block begins above what the watcher has seen (Notifier::OnRow).
  row->cseq_limit = std::max(item.local_cseq, item.document_version) + kCseqBlock;
  if (known != nullptr) row->cseq_limit = std::max(row->cseq_limit, known->cseq_limit);
  row->granted = std::min(item.expires_at - context.now, SubscriptionLifetimes(context).maximum);
  row->expires_at = context.now + row->granted + context.config.subscribe_grace;
  return row;
}

absl::StatusOr<ImportOutcome> Import(const DecideContext& context, const ImportCommand& command,
                                     const ImportedSubscription& item, Effects& effects) {
  const bool is_live =
      item.state == SubscriptionState::kActive || item.state == SubscriptionState::kPending;
  if (!is_live || item.expires_at <= context.now) return ImportOutcome::kSkipped;
  const LocalTag id = IdOf(item, effects.key());
  const SubscriptionPtr known = effects.FindSubscription(id);
  if (absl::Status status = CheckDialog(item, known.get()); !status.ok()) return status;
  const RequestKey request = RequestKey::Of(
      {"Import", "dialog", item.dialog.call_id, item.local_tag, item.dialog.remote_tag});
  // One that is ending here has ended.
  const bool is_here =
      known != nullptr && (!command.replaces || !known->is_live() || IsSame(*known, item));
  if (is_here || (known == nullptr && effects.FindAnswer(request) != nullptr)) {
    return ImportOutcome::kTakenBefore;
  }
  const Verdict verdict = Weigh(context, item.event, item.watcher, nullptr, effects);
  if (verdict.authorization == Authorization::kBlock) {
    return WatcherBlocked(item.watcher.text(), effects.key().presentity.text());
  }
  if (known == nullptr) {
    if (absl::Status room = CheckRoom(context, item.watcher, effects); !room.ok()) return room;
  }
  std::shared_ptr<Subscription> row = RowOf(context, item, id, known.get(), effects);
  // Where nobody has decided here, what was decided there goes on.
  const bool is_allowed = verdict.authorization == Authorization::kAllow;
  row->state = is_allowed ? SubscriptionState::kActive : item.state;
  row->is_authorized = row->state == SubscriptionState::kActive;
  if (!row->event.is_winfo()) {
    ForgetWaiting(context, row->watcher, effects);
    effects.ReportWatcher(EntryOf(*row, WinfoEvent::kSubscribe));
  }
  // What a winfo watcher knows of the watchers is not known here.
  if (command.notifies || row->event.is_winfo() || row->state != item.state) {
    effects.Tell(id, NotifyCause::kResync, false);
  } else if (known == nullptr) {
    effects.TakeAsTold(id);
  }
  effects.Put(SubscriptionPtr(std::move(row)));
  Remember(request, item.expires_at, StateKind::kSubscription, effects);
  return ImportOutcome::kTaken;
}

// --- Watchers.

absl::StatusOr<ImportOutcome> ImportWaiting(const DecideContext& context,
                                            const ImportedWatcher& item, Effects& effects) {
  if (item.waits_until.has_value() && *item.waits_until <= context.now) {
    return ImportOutcome::kSkipped;
  }
  // Whoever subscribes is pending, not waiting.
  if (effects.base().CountOf(item.watcher) > 0) return ImportOutcome::kSkipped;
  if (!RememberWaiting(context, item.watcher, effects.NextOrdinal(), effects)) {
    return QuotaExceeded("watchers of one presentity", context.config.max_subscriptions);
  }
  if (item.waits_until.has_value()) {
    auto row = std::make_shared<WatcherRecord>(*effects.FindWatcher(item.watcher));
    row->waits_until = std::min(row->waits_until, *item.waits_until);
    effects.Put(WatcherRecordPtr(std::move(row)));
  }
  return ImportOutcome::kTaken;
}

absl::StatusOr<ImportOutcome> Import(const DecideContext& context, const ImportCommand& command,
                                     const ImportedWatcher& item, Effects& effects) {
  if (item.decision == WatcherDecision::kNone && !item.is_waiting) {
    return InvalidField("watcher.decision", "nobody decided, and the watcher does not wait");
  }
  const WatcherRecordPtr known = effects.FindWatcher(item.watcher);
  const bool is_same = known != nullptr && known->decision == item.decision &&
                       known->is_waiting() == item.is_waiting;
  if (is_same) return ImportOutcome::kTakenBefore;
  if (known != nullptr && !command.replaces) return ImportOutcome::kSkipped;
  if (known == nullptr && effects.base().watchers().size() >= context.config.max_subscriptions) {
    return QuotaExceeded("watchers of one presentity", context.config.max_subscriptions);
  }
  if (item.decision == WatcherDecision::kNone) {
    if (known != nullptr) return ImportOutcome::kSkipped;  // a decision is more than a question
    return ImportWaiting(context, item, effects);
  }
  DecideWatcherCommand decision;
  decision.watcher = item.watcher;
  decision.decision = item.decision;
  if (absl::Status status = DecideAboutWatcher(context, decision, effects); !status.ok()) {
    return status;
  }
  return ImportOutcome::kTaken;
}

// --- Documents.

absl::StatusOr<ImportOutcome> Import(const DecideContext& context, const ImportCommand& command,
                                     const ImportedDocument& item, Effects& effects) {
  const RequestKey request = RequestKey::Of(
      {"Import", "document", item.name.name, item.document.content_type(), item.document.body()});
  const StoredDocumentPtr known = effects.FindDocument(item.name);
  const bool is_same = known != nullptr && known->document == item.document;
  if (is_same || (known == nullptr && effects.FindAnswer(request) != nullptr)) {
    return ImportOutcome::kTakenBefore;
  }
  if (known != nullptr && !command.replaces) return ImportOutcome::kSkipped;
  if (known == nullptr && effects.document_count() >= context.config.max_publications) {
    return QuotaExceeded("documents of one owner", context.config.max_publications);
  }
  auto row = std::make_shared<StoredDocument>();
  row->name = item.name;
  // An entity-tag names one content only.
  const bool is_etag_free = !item.etag.empty() && (known == nullptr || known->etag != item.etag);
  row->etag = is_etag_free ? item.etag : Etag::Generate(context.random);
  row->document = item.document;
  row->file_uri = item.file_uri;
  row->created_at = known != nullptr ? known->created_at : std::min(item.created_at, context.now);
  row->updated_at = std::min(std::max(item.updated_at, row->created_at), context.now);
  effects.ChangeState(NotifyCause::kPublish, "");
  effects.Put(StoredDocumentPtr(std::move(row)));
  Remember(request, context.now + kDocumentRemembered, StateKind::kPublication, effects);
  return ImportOutcome::kTaken;
}

}  // namespace

absl::StatusOr<ImportOutcome> DecideImport(const DecideContext& context,
                                           const ImportCommand& command, Effects& effects) {
  return std::visit([&](const auto& item) { return Import(context, command, item, effects); },
                    command.item);
}

}  // namespace presence
