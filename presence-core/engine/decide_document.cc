#include <algorithm>
#include <utility>

#include "presence-core/engine/decide.h"
#include "presence-core/model/error.h"

namespace presence {
namespace {

// The database keeps microseconds.
constexpr absl::Duration kSameTime = absl::Milliseconds(1);

bool IsSameTime(absl::Time a, absl::Time b) {
  return a == b || absl::AbsDuration(a - b) < kSameTime;
}

bool IsSame(const Publication& a, const Publication& b) {
  return a.etag == b.etag && a.document == b.document && a.priority == b.priority &&
         a.sender == b.sender && IsSameTime(a.expires_at, b.expires_at) &&
         IsSameTime(a.received_at, b.received_at);
}

bool IsSame(const StoredDocument& a, const StoredDocument& b) {
  return a.etag == b.etag && a.document == b.document && a.file_uri == b.file_uri;
}

void Remember(const DecideContext& context, const Idempotency& idempotency, const Etag& etag,
              Effects& effects) {
  if (idempotency.request_id.empty()) return;
  effects.Put(std::make_shared<const AnswerRecord>(
      AnswerRecord{idempotency.request_id, idempotency.content, etag, absl::ZeroDuration(),
                   context.now + kRequestIdRemembered, StateKind::kPublication}));
}

// The answer this call got when it came before; null if it is new.
absl::StatusOr<AnswerRecordPtr> FindEarlierAnswer(const Idempotency& idempotency,
                                                  const Effects& effects) {
  AnswerRecordPtr answer = effects.FindAnswer(idempotency.request_id);
  if (answer != nullptr && answer->content != idempotency.content) {
    return RequestIdReused("of this document");
  }
  return answer;
}

// What the call had stored. Somebody may have replaced it since: then it is told as it was.
StoredDocumentPtr Repeat(const PutDocumentCommand& command, const AnswerRecord& answer,
                         const Effects& effects) {
  StoredDocumentPtr present = effects.FindDocument(command.name);
  if (present != nullptr && present->etag == answer.etag) return present;
  auto row = std::make_shared<StoredDocument>();
  row->name = command.name;
  row->etag = answer.etag;
  row->document = command.document;
  row->updated_at = answer.kept_until - kRequestIdRemembered;
  row->created_at = present == nullptr ? row->updated_at : present->created_at;
  return row;
}

// Whether what is there is what the caller knows of.
absl::Status CheckPresent(const DecideContext& context, const PutDocumentCommand& command,
                          const StoredDocumentPtr& present, const Effects& effects) {
  if (present == nullptr) {
    const bool may_create = command.may_create && command.etag.empty();
    if (!may_create) return DocumentMismatch(command.name.name, "");
    const size_t allowed = context.config.max_publications;
    if (effects.document_count() < allowed) return absl::OkStatus();
    return QuotaExceeded("documents of one owner", allowed);
  }
  const bool is_right =
      command.may_replace && (command.etag.empty() || command.etag == present->etag);
  return is_right ? absl::OkStatus() : DocumentMismatch(command.name.name, present->etag.text());
}

}  // namespace

absl::StatusOr<StoredDocumentPtr> DecidePutDocument(const DecideContext& context,
                                                    const PutDocumentCommand& command,
                                                    const absl::Status& document_check,
                                                    Effects& effects) {
  auto earlier = FindEarlierAnswer(command.idempotency, effects);
  if (!earlier.ok()) return earlier.status();
  if (*earlier != nullptr) return Repeat(command, **earlier, effects);

  const StoredDocumentPtr present = effects.FindDocument(command.name);
  absl::Status status = CheckPresent(context, command, present, effects);
  if (!status.ok()) return status;
  if (!document_check.ok()) return document_check;

  StoredDocumentPtr stored = present;
  if (present == nullptr || present->document != command.document) {
    auto row = std::make_shared<StoredDocument>();
    row->name = command.name;
    row->etag = Etag::Generate(context.random);
    row->document = command.document;
    row->file_uri = present == nullptr ? "" : present->file_uri;
    row->created_at = present == nullptr ? context.now : present->created_at;
    row->updated_at = context.now;
    stored = row;
    effects.Put(StoredDocumentPtr(stored));
    effects.ChangeState(NotifyCause::kPublish, "");
  }
  Remember(context, command.idempotency, stored->etag, effects);
  return stored;
}

absl::Status DecideRemoveDocument(const DecideContext& context,
                                  const RemoveDocumentCommand& command, Effects& effects) {
  auto earlier = FindEarlierAnswer(command.idempotency, effects);
  if (!earlier.ok()) return earlier.status();
  if (*earlier != nullptr) return absl::OkStatus();

  const StoredDocumentPtr present = effects.FindDocument(command.name);
  if (present == nullptr) return DocumentUnknown(command.name.name);
  if (!command.etag.empty() && command.etag != present->etag) {
    return DocumentMismatch(command.name.name, present->etag.text());
  }
  effects.EraseDocument(command.name);
  effects.ChangeState(NotifyCause::kPublish, "");
  Remember(context, command.idempotency, present->etag, effects);
  return absl::OkStatus();
}

void DecideTakeOver(const DecideContext& context, const ResourceRows& stored, Effects& effects) {
  for (const PublicationPtr& row : effects.Publications()) {
    const auto is_it = [&row](const PublicationPtr& other) { return other->id == row->id; };
    if (std::none_of(stored.publications.begin(), stored.publications.end(), is_it)) {
      effects.ErasePublication(row->id);
    }
  }
  for (const PublicationPtr& row : stored.publications) {
    const PublicationPtr known = effects.FindPublication(row->id);
    if (known != nullptr && IsSame(*known, *row)) continue;
    effects.PassOrdinal(row->id);
    effects.Put(PublicationPtr(row));
  }
  for (const StoredDocumentPtr& row : effects.base().documents()) {
    const auto is_it = [&row](const StoredDocumentPtr& other) { return other->name == row->name; };
    if (std::none_of(stored.documents.begin(), stored.documents.end(), is_it)) {
      effects.EraseDocument(row->name);
    }
  }
  for (const StoredDocumentPtr& row : stored.documents) {
    const StoredDocumentPtr known = effects.FindDocument(row->name);
    if (known != nullptr && IsSame(*known, *row)) continue;
    auto taken = std::make_shared<StoredDocument>(*row);
    if (known != nullptr && known->document != row->document && known->etag == row->etag) {
      taken->etag = Etag::Generate(context.random);
      taken->updated_at = context.now;
    }
    effects.Put(StoredDocumentPtr(std::move(taken)));
  }
  effects.CountRows(stored.publications.size() + stored.documents.size());
}

RefreshOutcome DecideResend(bool is_shared, Effects& effects) {
  RefreshOutcome outcome;
  outcome.examined = effects.base().live_subscriptions();
  outcome.notified = effects.base().authorized_subscriptions();
  // Everybody is due at once, as after any other change of state. Others have watchers of their own
  // and hear of it by the change.
  if (is_shared || outcome.examined > 0 || !effects.changes().empty()) {
    effects.ChangeState(NotifyCause::kAdmin, "");
  }
  return outcome;
}

}  // namespace presence
