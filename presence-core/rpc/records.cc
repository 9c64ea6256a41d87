#include "presence-core/rpc/records.h"

#include <google/protobuf/util/time_util.h>

#include <tuple>
#include <utility>

#include "presence-core/model/error.h"

namespace presence {
namespace {

constexpr size_t kLongestEtag = 256;
constexpr size_t kLongestTag = 1024;

// RFC 3261 §25.1 "token", as an entity-tag and a tag are.
absl::Status CheckToken(std::string_view field, const std::string& text, size_t longest) {
  static constexpr std::string_view kMarks = "-.!%*_+`'~";
  if (text.empty()) return InvalidField(field, "it is required");
  if (text.size() > longest) return InvalidField(field, "it is too long");
  for (const char c : text) {
    const bool is_alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!is_alphanumeric && kMarks.find(c) == std::string_view::npos) {
      return InvalidField(field, "it has a character that no token has");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<absl::Time> Records::ToSteady(bool has, const google::protobuf::Timestamp& wall,
                                             std::string_view field) const {
  using google::protobuf::util::TimeUtil;
  if (!has) return InvalidField(field, "it is required");
  if (wall.seconds() < 0 || wall.seconds() > TimeUtil::kTimestampMaxSeconds || wall.nanos() < 0 ||
      wall.nanos() > 999'999'999) {
    return InvalidField(field, "it is no time of the years 1970 to 9999");
  }
  const absl::Time time = absl::FromUnixSeconds(wall.seconds()) + absl::Nanoseconds(wall.nanos());
  return clock_.Now() + (time - clock_.WallNow());
}

absl::StatusOr<ImportCommand> Records::ToImport(const v1::Record& record) const {
  switch (record.item_case()) {
    case v1::Record::kPublication:
      return ToImport(record.publication());
    case v1::Record::kSubscription:
      return ToImport(record.subscription());
    case v1::Record::kWatcher:
      return ToImport(record.watcher());
    case v1::Record::kRules:
      return ToImport(record.rules());
    case v1::Record::ITEM_NOT_SET:
      break;
  }
  return InvalidField("item", "this server does not know the record");
}

absl::StatusOr<ImportCommand> Records::ToImport(const v1::Publication& record) const {
  auto presentity = convert_.ToPresentity(record.presentity());
  if (!presentity.ok()) return presentity.status();
  auto event = convert_.ToEvent(record.event());
  if (!event.ok()) return event.status();
  if (event->is_winfo()) return InvalidField("publication.event", "nobody publishes winfo");
  if (auto status = CheckToken("publication.etag", record.etag(), kLongestEtag); !status.ok()) {
    return status;
  }
  if (auto status = CheckText("publication.sender", record.sender(), false); !status.ok()) {
    return status;
  }
  ImportedPublication item;
  auto expires =
      ToSteady(record.has_expire_time(), record.expire_time(), "publication.expire_time");
  if (!expires.ok()) return expires.status();
  item.expires_at = *expires;
  item.received_at = clock_.Now();
  if (record.has_receive_time()) {
    auto received = ToSteady(true, record.receive_time(), "publication.receive_time");
    if (!received.ok()) return received.status();
    item.received_at = *received;
  }
  const v1::Document& document = record.document();
  if (auto status = CheckText("document.content_type", document.content_type(), true);
      !status.ok()) {
    return status;
  }
  const std::string& body = document.body().empty() ? document.text() : document.body();
  if (body.empty()) return InvalidField("publication.document", "it is required");
  item.etag = Etag(record.etag());
  item.document = Document(MediaType(document.content_type()), body);
  item.priority = record.priority();
  item.sender = record.sender();
  ImportCommand command;
  command.key = {*std::move(presentity), *std::move(event)};
  command.item = std::move(item);
  return command;
}

absl::StatusOr<ImportCommand> Records::ToImport(const v1::SubscriptionRecord& record) const {
  const v1::Subscription& subscription = record.subscription();
  auto presentity = convert_.ToPresentity(subscription.presentity());
  if (!presentity.ok()) return presentity.status();
  auto event = convert_.ToEvent(subscription.event());
  if (!event.ok()) return event.status();
  auto watcher = convert_.ToWatcher(subscription.watcher());
  if (!watcher.ok()) return watcher.status();
  auto expires = ToSteady(subscription.has_expire_time(), subscription.expire_time(),
                          "subscription.expire_time");
  if (!expires.ok()) return expires.status();
  // Both our own export, where `local_tag` may be only the id, and another server's.
  const std::string& tag = record.dialog().adopted_tag().empty() ? record.dialog().local_tag()
                                                                 : record.dialog().adopted_tag();
  if (auto status = CheckToken("dialog.local_tag", tag, kLongestTag); !status.ok()) return status;
  auto dialog = ToDialog(record.dialog(), /*creates=*/true);
  if (!dialog.ok()) return dialog.status();
  if (auto status = CheckText("subscription.event_id", subscription.event_id(), false);
      !status.ok()) {
    return status;
  }
  ImportedSubscription item;
  switch (subscription.state()) {
    case v1::SUBSCRIPTION_STATE_ACTIVE:
    case v1::SUBSCRIPTION_STATE_PENDING:
    case v1::SUBSCRIPTION_STATE_TERMINATED:
      item.state = static_cast<SubscriptionState>(subscription.state());
      break;
    default:
      return InvalidField("subscription.state", "it is active, pending or terminated");
  }
  item.event = *event;
  item.event_id = subscription.event_id();
  item.watcher = *std::move(watcher);
  item.expires_at = *expires;
  item.local_tag = tag;
  item.dialog = *std::move(dialog);
  if (!item.dialog.flow.empty()) item.dialog.flow_gateway = record.dialog().flow_gateway();
  item.remote_cseq = record.remote_cseq();
  item.local_cseq = subscription.local_cseq();
  item.document_version = record.document_version();
  ImportCommand command;
  command.key = {*std::move(presentity), event->base()};
  command.item = std::move(item);
  return command;
}

absl::StatusOr<ImportCommand> Records::ToImport(const v1::WatcherRecord& record) const {
  auto presentity = convert_.ToPresentity(record.presentity());
  if (!presentity.ok()) return presentity.status();
  auto event = convert_.ToEvent(record.watcher().event());
  if (!event.ok()) return event.status();
  auto watcher = convert_.ToWatcher(record.watcher().watcher());
  if (!watcher.ok()) return watcher.status();
  const v1::WatcherDecision decision = record.watcher().decision();
  if (!v1::WatcherDecision_IsValid(decision)) {
    return InvalidField("watcher.decision", "this server does not know it");
  }
  ImportedWatcher item;
  item.watcher = *std::move(watcher);
  item.decision = static_cast<WatcherDecision>(decision);
  item.is_waiting = record.watcher().state() == v1::SUBSCRIPTION_STATE_WAITING;
  if (record.has_giveup_time()) {
    auto giveup = ToSteady(true, record.giveup_time(), "giveup_time");
    if (!giveup.ok()) return giveup.status();
    item.waits_until = *giveup;
  }
  ImportCommand command;
  command.key = {*std::move(presentity), event->base()};
  command.item = std::move(item);
  return command;
}

absl::StatusOr<ImportCommand> Records::ToImport(const v1::RulesDocument& record) const {
  auto name = convert_.ToOwnedName(record.name());
  if (!name.ok()) return name.status();
  auto document = Converter::FromProto(record.document());
  if (!document.ok()) return document.status();
  if (!record.etag().empty()) {
    if (auto status = CheckToken("rules.etag", record.etag(), kLongestEtag); !status.ok()) {
      return status;
    }
  }
  if (auto status = CheckText("rules.file_uri", record.file_uri(), false); !status.ok()) {
    return status;
  }
  ImportedDocument item;
  item.created_at = item.updated_at = clock_.Now();
  for (const auto& [has, wall, time, field] :
       {std::tuple(record.has_create_time(), &record.create_time(), &item.created_at,
                   "rules.create_time"),
        std::tuple(record.has_update_time(), &record.update_time(), &item.updated_at,
                   "rules.update_time")}) {
    if (!has) continue;
    auto given = ToSteady(true, *wall, field);
    if (!given.ok()) return given.status();
    *time = *given;
  }
  item.name = std::move(name->name);
  item.document = *std::move(document);
  item.etag = Etag(record.etag());
  item.file_uri = record.file_uri();
  ImportCommand command;
  auto event = convert_.ToEvent("presence");
  if (!event.ok()) return event.status();
  command.key = {std::move(name->owner), *std::move(event)};
  command.item = std::move(item);
  return command;
}

v1::Record Records::ToRecord(const PublicationView& view) const {
  v1::Record record;
  *record.mutable_publication() = convert_.ToProto(view, /*is_full=*/true);
  record.mutable_publication()->set_presentity(view.key.presentity.Uri());
  // The bytes are enough.
  record.mutable_publication()->mutable_document()->clear_text();
  return record;
}

v1::Record Records::ToRecord(const SubscriptionView& view) const {
  v1::Record record;
  v1::SubscriptionRecord& out = *record.mutable_subscription();
  *out.mutable_subscription() = convert_.ToProto(view);
  // What was granted: whoever imports it adds a grace of its own.
  *out.mutable_subscription()->mutable_expire_time() =
      convert_.ToWall(view.subscription->expires_at - subscribe_grace_);
  // The core that sends for the dialog may be another one. It has used none above the limit, which
  // is what a new life goes on from, too.
  out.mutable_subscription()->set_local_cseq(view.subscription->cseq_limit);
  out.mutable_subscription()->set_presentity(view.key.presentity.Uri());
  out.mutable_subscription()->set_watcher(view.subscription->watcher.Uri());
  FillDialog(*view.subscription, *out.mutable_dialog());
  out.mutable_dialog()->set_user_agent(std::string(view.subscription->dialog.user_agent()));
  out.mutable_dialog()->set_flow_gateway(std::string(view.subscription->dialog.flow_gateway()));
  out.set_remote_cseq(view.subscription->remote_cseq);
  // A version is never above the limit, either.
  if (view.subscription->event.is_winfo()) {
    out.set_document_version(view.subscription->cseq_limit);
  }
  return record;
}

v1::Record Records::ToRecord(const WatcherRecordView& view) const {
  const WatcherRecord& row = *view.record;
  v1::Record record;
  v1::WatcherRecord& out = *record.mutable_watcher();
  out.set_presentity(view.key.presentity.Uri());
  out.mutable_watcher()->set_watcher(row.watcher.Uri());
  out.mutable_watcher()->set_event(view.key.event.text());
  out.mutable_watcher()->set_decision(static_cast<v1::WatcherDecision>(row.decision));
  if (row.is_waiting()) {
    out.mutable_watcher()->set_state(v1::SUBSCRIPTION_STATE_WAITING);
    *out.mutable_giveup_time() = convert_.ToWall(row.waits_until);
  } else {
    out.mutable_watcher()->set_state(
        row.decision == WatcherDecision::kBlock     ? v1::SUBSCRIPTION_STATE_TERMINATED
        : row.decision == WatcherDecision::kConfirm ? v1::SUBSCRIPTION_STATE_PENDING
                                                    : v1::SUBSCRIPTION_STATE_ACTIVE);
  }
  return record;
}

v1::Record Records::ToRecord(const DocumentView& view) const {
  v1::Record record;
  *record.mutable_rules() = convert_.ToProto(view, /*with_content=*/true);
  record.mutable_rules()->mutable_name()->set_owner(view.owner.Uri());
  record.mutable_rules()->mutable_document()->clear_text();
  return record;
}

}  // namespace presence
