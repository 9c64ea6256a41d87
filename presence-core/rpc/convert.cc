#include "presence-core/rpc/convert.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "presence-core/model/error.h"
#include "presence-core/model/utf8.h"

namespace presence {
namespace {

constexpr size_t kLongestRequestId = 64;
constexpr size_t kLongestText = 8192;

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = Utf8Length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

absl::StatusOr<std::optional<absl::Duration>> ToExpiry(bool has,
                                                       const google::protobuf::Duration& expiry) {
  if (!has) return std::optional<absl::Duration>();
  absl::StatusOr<absl::Duration> lifetime = ToLifetime(expiry, "expiry");
  if (!lifetime.ok()) return lifetime.status();
  return std::optional<absl::Duration>(*lifetime);
}

}  // namespace

std::string MediaType(const std::string& content_type) {
  std::string type = content_type.substr(0, content_type.find(';'));
  absl::AsciiStrToLower(&type);
  absl::StripAsciiWhitespace(&type);
  return type;
}

absl::StatusOr<DialogParts> ToDialog(const v1::Dialog& dialog, bool creates) {
  for (const auto& [field, text, is_required] :
       {std::tuple("dialog.call_id", &dialog.call_id(), true),
        std::tuple("dialog.remote_tag", &dialog.remote_tag(), true),
        std::tuple("dialog.remote_target", &dialog.remote_target(), true),
        std::tuple("dialog.local_uri", &dialog.local_uri(), creates),
        std::tuple("dialog.remote_uri", &dialog.remote_uri(), creates),
        std::tuple("dialog.gateway", &dialog.gateway(), creates),
        std::tuple("dialog.flow", &dialog.flow(), false),
        std::tuple("dialog.flow_gateway", &dialog.flow_gateway(), false),
        std::tuple("dialog.local_contact", &dialog.local_contact(), false),
        std::tuple("dialog.user_agent", &dialog.user_agent(), false),
        std::tuple("dialog.adopted_tag", &dialog.adopted_tag(), false)}) {
    if (absl::Status status = CheckText(field, *text, is_required); !status.ok()) return status;
  }
  DialogParts parts;
  parts.call_id = dialog.call_id();
  parts.remote_tag = dialog.remote_tag();
  parts.local_uri = dialog.local_uri();
  parts.remote_uri = dialog.remote_uri();
  parts.remote_target = dialog.remote_target();
  for (const std::string& route : dialog.route_set()) {
    if (absl::Status status = CheckText("dialog.route_set", route, true); !status.ok()) {
      return status;
    }
    parts.route_set.push_back(route);
  }
  parts.gateway = dialog.gateway();
  parts.flow = dialog.flow();
  parts.local_contact = dialog.local_contact();
  parts.user_agent = dialog.user_agent();
  return parts;
}

void FillDialog(const Subscription& row, v1::Dialog& out) {
  const Dialog& dialog = row.dialog;
  out.set_call_id(std::string(dialog.call_id()));
  out.set_local_tag(row.id.text());
  out.set_remote_tag(std::string(dialog.remote_tag()));
  out.set_local_uri(std::string(dialog.local_uri()));
  out.set_remote_uri(std::string(dialog.remote_uri()));
  out.set_remote_target(std::string(dialog.remote_target()));
  for (std::string_view route : dialog.route_set()) out.add_route_set(std::string(route));
  out.set_gateway(std::string(dialog.gateway()));
  out.set_flow(std::string(dialog.flow()));
  out.set_local_contact(std::string(dialog.local_contact()));
  out.set_adopted_tag(std::string(dialog.adopted_tag()));
}

RequestKey RequestIdKey(std::string_view method, const std::string& request_id) {
  return request_id.empty() ? RequestKey() : RequestKey::Of({method, request_id});
}

absl::Status CheckRequestId(const std::string& request_id) {
  if (request_id.size() <= kLongestRequestId) return absl::OkStatus();
  return InvalidField("request_id", "it has more than 64 characters");
}

absl::Status CheckText(std::string_view field, std::string_view text, bool is_required) {
  if (text.empty() && is_required) return InvalidField(field, "it is required");
  if (text.size() > kLongestText) return InvalidField(field, "it is longer than 8192 bytes");
  if (!IsCleanText(text)) return InvalidField(field, "it has a control character or is not UTF-8");
  return absl::OkStatus();
}

absl::StatusOr<absl::Duration> ToLifetime(const google::protobuf::Duration& duration,
                                          std::string_view field) {
  if (duration.seconds() < 0 || duration.nanos() != 0) {
    return InvalidField(field, "a lifetime is a whole number of seconds, 0 or more");
  }
  if (duration.seconds() > UINT32_MAX) return InvalidField(field, "it is beyond 2^32-1 s");
  return absl::Seconds(duration.seconds());
}

absl::Status Converter::CheckServed(const PresentityUri& presentity) const {
  const std::vector<std::string>& domains = engine_.config().domains;
  if (domains.empty() || presentity.host() == "tel") return absl::OkStatus();
  if (std::find(domains.begin(), domains.end(), presentity.host()) != domains.end()) {
    return absl::OkStatus();
  }
  return UserUnknown(presentity.text());
}

absl::StatusOr<PresentityUri> Converter::ToPresentity(const std::string& text) const {
  auto presentity = PresentityUri::Parse(text, engine_.config().addresses);
  if (!presentity.ok()) return presentity;
  if (absl::Status status = CheckServed(*presentity); !status.ok()) return status;
  return presentity;
}

absl::StatusOr<WatcherUri> Converter::ToWatcher(const std::string& text) const {
  return WatcherUri::Parse(text, engine_.config().addresses);
}

absl::StatusOr<EventName> Converter::ToEvent(const std::string& text, const char* fallback) const {
  auto event = EventName::Parse(text.empty() && fallback != nullptr ? fallback : text);
  if (event.ok()) {
    if (auto package = engine_.registry().Require(*event); !package.ok()) return package.status();
    return event;
  }
  // The name itself cannot be parsed: say what is served all the same.
  std::string served;
  for (const std::string& name : engine_.registry().EventNames()) {
    served += served.empty() ? name : ", " + name;
  }
  return UnknownEvent(text, served);
}

absl::StatusOr<Document> Converter::FromProto(const v1::Document& document) {
  if (absl::Status status =
          CheckText("document.content_type", document.content_type(), /*is_required=*/true);
      !status.ok()) {
    return status;
  }
  const std::string& body = document.body().empty() ? document.text() : document.body();
  if (body.empty()) return InvalidField("document.body", "it is empty; leave the document out");
  return Document(MediaType(document.content_type()), body);
}

absl::StatusOr<PublishCommand> Converter::ToCommand(const v1::PublishRequest& request) const {
  PublishCommand command;
  auto presentity = ToPresentity(request.presentity());
  if (!presentity.ok()) return presentity.status();
  auto event = ToEvent(request.event());
  if (!event.ok()) return event.status();
  auto expiry = ToExpiry(request.has_expiry(), request.expiry());
  if (!expiry.ok()) return expiry.status();
  if (request.has_document()) {
    auto document = FromProto(request.document());
    if (!document.ok()) return document.status();
    command.document = *std::move(document);
  }
  if (absl::Status status = CheckRequestId(request.request_id()); !status.ok()) return status;
  if (absl::Status status = CheckText("sender", request.sender(), false); !status.ok()) {
    return status;
  }
  command.presentity = *std::move(presentity);
  command.event = *std::move(event);
  command.etag = Etag(request.etag());
  command.expiry = *expiry;
  command.sender = request.sender();
  command.priority = request.priority();
  command.validate_only = request.validate_only();
  const std::string_view body = command.document ? command.document->body() : std::string_view();
  if (request.has_sip()) {
    const v1::SipRequestId& sip = request.sip();
    const std::string cseq = std::to_string(sip.cseq());
    command.idempotency.sip =
        RequestKey::Of({"PUBLISH", sip.call_id(), sip.from_tag(), cseq, request.etag(), body});
    command.origin = RequestKey::Of({sip.call_id(), sip.from_tag()});
  }
  if (!request.request_id().empty()) {
    command.idempotency.request_id = RequestIdKey("Publish", request.request_id());
    const std::string expiry_text =
        std::to_string(request.has_expiry() ? request.expiry().seconds() : int64_t{-1});
    command.idempotency.content =
        RequestKey::Of({command.presentity.text(), command.event.text(), request.etag(),
                        expiry_text, body, request.sender(), std::to_string(request.priority())});
  }
  return command;
}

absl::StatusOr<SubscribeCommand> Converter::ToCommand(const v1::SubscribeRequest& request) const {
  SubscribeCommand command;
  const bool is_in_dialog = !request.dialog().local_tag().empty();
  if (!is_in_dialog) {
    // In a dialog both are what the dialog says, whatever URI the request was sent to.
    auto presentity = ToPresentity(request.presentity());
    if (!presentity.ok()) return presentity.status();
    command.presentity = *std::move(presentity);
  }
  auto event = ToEvent(request.event());
  if (!event.ok()) return event.status();
  if (!is_in_dialog) {
    auto watcher = ToWatcher(request.watcher());
    if (!watcher.ok()) return watcher.status();
    command.watcher = *std::move(watcher);
  }
  if (!is_in_dialog && !request.watcher_alias().empty()) {
    auto alias = ToWatcher(request.watcher_alias());
    if (!alias.ok()) return alias.status();
    command.alias = *std::move(alias);
  }
  auto expiry = ToExpiry(request.has_expiry(), request.expiry());
  if (!expiry.ok()) return expiry.status();
  auto dialog = ToDialog(request.dialog(), !is_in_dialog);
  if (!dialog.ok()) return dialog.status();
  if (absl::Status status = CheckText("event_id", request.event_id(), false); !status.ok()) {
    return status;
  }
  command.event = *std::move(event);
  command.event_id = request.event_id();
  command.local_tag = request.dialog().local_tag();
  command.dialog = *std::move(dialog);
  command.cseq = request.cseq();
  command.expiry = *expiry;
  command.has_accept = request.has_accept();
  for (const std::string& type : request.accept()) command.accept.push_back(MediaType(type));
  return command;
}

absl::StatusOr<WatchCommand> Converter::ToCommand(const v1::WatchTarget& target,
                                                  const std::string& watcher) const {
  WatchCommand command;
  auto presentity = ToPresentity(target.presentity());
  if (!presentity.ok()) return presentity.status();
  auto event = ToEvent(target.event(), "presence");
  if (!event.ok()) return event.status();
  auto who = ToWatcher(watcher);
  if (!who.ok()) return who.status();
  command.presentity = *std::move(presentity);
  command.event = *std::move(event);
  command.watcher = *std::move(who);
  return command;
}

absl::StatusOr<DecideWatcherCommand> Converter::ToDecision(const std::string& presentity,
                                                           const std::string& event,
                                                           const std::string& watcher,
                                                           const std::string& request_id,
                                                           WatcherDecision decision) const {
  DecideWatcherCommand command;
  auto whose = ToPresentity(presentity);
  if (!whose.ok()) return whose.status();
  auto name = ToEvent(event, "presence");
  if (!name.ok()) return name.status();
  auto who = ToWatcher(watcher);
  if (!who.ok()) return who.status();
  if (absl::Status status = CheckRequestId(request_id); !status.ok()) return status;
  command.presentity = *std::move(whose);
  command.event = name->base();
  command.watcher = *std::move(who);
  command.decision = decision;
  if (!request_id.empty()) {
    command.idempotency.request_id = RequestIdKey("DecideWatcher", request_id);
    command.idempotency.content =
        RequestKey::Of({command.watcher.text(), std::to_string(static_cast<int>(decision))});
  }
  return command;
}

absl::StatusOr<StateQuery> Converter::ToQuery(const v1::GetStateRequest& request) const {
  StateQuery query;
  auto presentity = ToPresentity(request.presentity());
  if (!presentity.ok()) return presentity.status();
  auto event = ToEvent(request.event(), "presence");
  if (!event.ok()) return event.status();
  if (!request.etag().empty() && !request.contact().empty()) {
    return InvalidField("contact", "give an etag or a contact, not both");
  }
  if (!request.watcher().empty()) {
    auto watcher = ToWatcher(request.watcher());
    if (!watcher.ok()) return watcher.status();
    query.watcher = *std::move(watcher);
  }
  query.key = {*std::move(presentity), event->base()};
  query.event = *std::move(event);
  query.etag = Etag(request.etag());
  query.contact = request.contact();
  return query;
}

google::protobuf::Duration Converter::ToProto(absl::Duration duration) {
  google::protobuf::Duration out;
  out.set_seconds(absl::ToInt64Seconds(duration));
  return out;
}

google::protobuf::Timestamp Converter::ToWall(absl::Time steady) const {
  const absl::Time wall = clock_.WallNow() + (steady - clock_.Now());
  return google::protobuf::util::TimeUtil::MillisecondsToTimestamp(absl::ToUnixMillis(wall));
}

v1::Revision Converter::ToProto(const Revision& revision) {
  v1::Revision out;
  out.set_epoch(revision.epoch);
  out.set_seq(revision.seq);
  return out;
}

v1::Document Converter::ToProto(const Document& document) {
  v1::Document out;
  out.set_content_type(std::string(document.content_type()));
  out.set_body(std::string(document.body()));
  if (IsUtf8(document.body())) out.set_text(std::string(document.body()));
  return out;
}

v1::PublishResponse Converter::ToProto(const PublishOutcome& outcome) const {
  v1::PublishResponse out;
  out.set_etag(outcome.etag.text());
  *out.mutable_expiry() = ToProto(outcome.granted);
  *out.mutable_revision() = ToProto(outcome.revision);
  out.set_watchers(outcome.watchers);
  return out;
}

v1::SubscribeResponse Converter::ToProto(const SubscribeOutcome& outcome) const {
  v1::SubscribeResponse out;
  out.set_local_tag(outcome.adopted_tag.empty() ? outcome.id.text() : outcome.adopted_tag);
  *out.mutable_expiry() = ToProto(outcome.granted);
  out.set_state(static_cast<v1::SubscriptionState>(outcome.state));
  out.set_created(outcome.created);
  return out;
}

v1::Publication Converter::ToProto(const PublicationView& view, bool is_full) const {
  const Publication& row = *view.publication;
  v1::Publication out;
  out.set_presentity(view.key.presentity.text());
  out.set_event(view.key.event.text());
  out.set_etag(row.etag.text());
  out.set_sender(row.sender);
  *out.mutable_expire_time() = ToWall(row.expires_at);
  if (!is_full) return out;
  *out.mutable_receive_time() = ToWall(row.received_at);
  out.set_priority(row.priority);
  // Unique in this server: the resource's hash, the epoch and the publication's number in it.
  char ruid[64];
  std::snprintf(ruid, sizeof(ruid), "%08x-%llx-%llx", view.key.StableHash(),
                static_cast<unsigned long long>(engine_.epoch()),
                static_cast<unsigned long long>(row.id));
  out.set_ruid(ruid);
  *out.mutable_document() = ToProto(row.document);
  return out;
}

v1::Subscription Converter::ToProto(const SubscriptionView& view) const {
  const Subscription& row = *view.subscription;
  v1::Subscription out;
  out.set_id(row.id.text());
  out.set_presentity(view.key.presentity.text());
  out.set_event(row.event.text());
  out.set_event_id(row.event_id);
  out.set_watcher(row.watcher.text());
  out.set_state(static_cast<v1::SubscriptionState>(row.state));
  if (row.expires_at != absl::InfiniteFuture()) *out.mutable_expire_time() = ToWall(row.expires_at);
  if (!row.is_native()) {
    out.set_gateway(std::string(row.dialog.gateway()));
    out.set_contact(std::string(row.dialog.remote_target()));
    out.set_user_agent(std::string(row.dialog.user_agent()));
    out.set_call_id(std::string(row.dialog.call_id()));
  }
  out.set_local_cseq(view.cseq);
  *out.mutable_notified() = ToProto(view.notified);
  out.set_notify_in_flight(view.is_in_flight);
  return out;
}

v1::Watcher Converter::ToProto(const WatcherView& view) const {
  v1::Watcher out;
  out.set_watcher(view.watcher.text());
  out.set_event(view.event.text());
  out.set_state(static_cast<v1::SubscriptionState>(view.state));
  out.set_subscriptions(view.subscriptions);
  out.set_decision(static_cast<v1::WatcherDecision>(view.decision));
  return out;
}

v1::NotifyInstruction Converter::ToProto(const Instruction& instruction,
                                         uint32_t body_index) const {
  v1::NotifyInstruction out;
  FillDialog(*instruction.subscription, *out.mutable_dialog());
  out.set_cseq(instruction.cseq);
  out.set_epoch(instruction.epoch);
  out.set_event(instruction.subscription->event.text());
  out.set_event_id(instruction.subscription->event_id);
  out.set_state(static_cast<v1::SubscriptionState>(instruction.state));
  out.set_reason(static_cast<v1::TerminationReason>(instruction.reason));
  if (instruction.state != SubscriptionState::kTerminated) {
    *out.mutable_expiry() = ToProto(instruction.expiry);
  }
  if (body_index != 0) {
    out.set_content_type(std::string(instruction.document.content_type()));
    out.set_body(body_index);
  }
  out.set_cause(static_cast<v1::NotifyCause>(instruction.cause));
  *out.mutable_revision() = ToProto(instruction.revision);
  out.set_resource(instruction.subscription->id.resource_hash());
  return out;
}

NotifyReport Converter::FromProto(const v1::NotifyResult& result) {
  NotifyReport report;
  // A tag that is none of ours matches no dialog, and neither does the empty one.
  report.subscription = LocalTag::Parse(result.id().local_tag()).value_or(LocalTag());
  report.cseq = result.id().cseq();
  report.epoch = result.id().epoch();
  report.outcome = static_cast<NotifyOutcome>(result.outcome());
  report.code = static_cast<int>(result.code());
  if (result.has_retry_after()) {
    report.retry_after =
        absl::Seconds(std::clamp<int64_t>(result.retry_after().seconds(), 0, UINT32_MAX));
  }
  return report;
}

}  // namespace presence
