#include "sip-gateway/server/gateway.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "sip-gateway/dialogs/flow_name.h"
#include "sip-gateway/server/stored_answers.h"
#include "sip-gateway/transaction/response_route.h"
#include "sip-gateway/translate/publish.h"
#include "sip-gateway/translate/sip_status.h"
#include "sip-gateway/translate/subscribe.h"

namespace presence::sip {
namespace {

// Whoever sends may invent methods; a metric has a bounded number of labels.
std::string_view MethodForMetrics(std::string_view method) {
  static constexpr std::array<std::string_view, 7> kNamed = {
      "PUBLISH", "SUBSCRIBE", "OPTIONS", "NOTIFY", "REGISTER", "ACK", "CANCEL"};
  const auto named = std::find(kNamed.begin(), kNamed.end(), method);
  return named == kNamed.end() ? "other" : *named;
}

}  // namespace

Gateway::Gateway(GatewaySettings settings, const Clock& clock, Random& random, Transport& transport,
                 Locator& locator, FrameStreamOpener& opener, GatewayObserver* observer)
    : settings_(std::move(settings)),
      transport_(transport),
      observer_(observer),
      domains_(settings_.domains),
      contacts_(transport.listeners(), settings_.contact),
      capabilities_(settings_.product),
      tags_(random.Next64()),
      hop_memory_(locator),
      server_transactions_(clock, random, transport, *this, settings_.server_transactions),
      client_transactions_(clock, random, transport, settings_.client_transactions, &hop_memory_),
      notifier_(
          {.product = settings_.product, .removes_on_flow_lost = settings_.removes_on_flow_lost},
          transport, client_transactions_, locator, contacts_,
          [this](v1::NotifyResult result) { link_.Report(std::move(result)); }),
      link_(settings_.link, clock, random, opener, *this) {}

Gateway::~Gateway() = default;

// ---- from the network ----

void Gateway::OnMessage(const Source& source, const ScannedMessage& scan) {
  ++stats_.messages;
  absl::StatusOr<std::unique_ptr<Message>> message = Message::Parse(scan);
  if (!message.ok()) {
    const absl::string_view fault = message.status().message();
    RefuseBroken(source, {400, {fault.data(), fault.size()}, ExtractAnswerable(scan)});
  } else if ((*message)->is_request()) {
    ++stats_.requests_by_method[MethodForMetrics((*message)->method())];
    OnRequest(*std::move(message), source);
  } else {
    ++stats_.responses;
    client_transactions_.OnResponse(**message);
  }
}

void Gateway::OnRefused(const Source& source, const Refusal& refusal) {
  RefuseBroken(source, refusal);
}

void Gateway::RefuseBroken(const Source& source, const Refusal& refusal) {
  BrokenMessages& broken = stats_.broken_messages[std::string(refusal.phrase)];
  if (!refusal.answerable.has_value()) {
    ++broken.dropped;
    ++stats_.dropped_messages;
    return;
  }
  const AnswerableRequest& request = *refusal.answerable;
  // ExtractAnswerable() takes no request whose topmost Via cannot be read.
  const Via via = *ParseTopVia(request.vias.front());
  ++broken.answered;
  ++stats_.refused_messages;
  ++stats_.answers_by_code[refusal.status];
  const ViaMark mark = MarkVia(source, via);
  const AnswerContext context{
      .contact = {}, .via_received = mark.received, .via_rport = mark.rport};
  const std::string bytes = PrintRefusal(request, refusal.status, refusal.phrase,
                                         RandomHex(tags_, 64), capabilities_, context);
  transport_.Send(ResponseRoute(source, via), bytes);
}

void Gateway::OnFlowClosed(FlowId flow, SendFailure why) {
  client_transactions_.OnFlowClosed(flow, why);
}

void Gateway::OnSendFailed(SendTag tag, SendFailure why) {
  client_transactions_.OnSendFailed(tag, why);
}

void Gateway::OnIcmpError(const SocketAddress& remote, std::string_view quoted, SendFailure why) {
  client_transactions_.OnIcmpError(remote, quoted, why);
}

// ---- requests ----

void Gateway::OnRequest(std::unique_ptr<Message> message, const Source& source) {
  const std::optional<ServerTransactionId> id =
      server_transactions_.OnRequest(std::move(message), source);
  if (!id.has_value()) return;
  const Message& request = *server_transactions_.Request(*id);
  const UasPolicy policy{domains_, contacts_.own_hosts(), capabilities_};
  if (std::optional<Answer> refusal = CheckRequest(request, policy)) {
    ++stats_.refused_requests;
    Respond(*id, *std::move(refusal));
  } else if (request.method() == "OPTIONS") {
    ++stats_.options;
    Respond(*id, {.kind = AnswerKind::kOptions});
  } else if (is_draining_) {
    Respond(*id, {.kind = AnswerKind::kUnavailable, .seconds = kDefaultRetryAfterSeconds});
  } else if (request.method() == "PUBLISH") {
    AskPublish(*id, request, source);
  } else {
    AskSubscribe(*id, request, source);
  }
}

Trust Gateway::TrustIn(const Source& source) const {
  return {.is_trusted_peer = settings_.trusted_peers.Contains(source.remote.ip()),
          .sender_header = settings_.sender_header};
}

void Gateway::AskPublish(ServerTransactionId id, const Message& publish, const Source& source) {
  ++stats_.publishes;
  v1::GatewayCommand command;
  *command.mutable_publish() = ToPublishRequest(publish, TrustIn(source));
  link_.Submit(std::move(command), [this, id](const v1::CommandReply& reply) {
    const Message* request = server_transactions_.Request(id);
    if (request != nullptr) Respond(id, AnswerToPublish(*request, reply));
  });
}

void Gateway::AskSubscribe(ServerTransactionId id, const Message& subscribe, const Source& source) {
  ++stats_.subscribes;
  const std::string flow = FlowName(source.flow);
  v1::GatewayCommand command;
  *command.mutable_subscribe() = ToSubscribeRequest(
      subscribe, TrustIn(source), {.local_contact = ContactFor(subscribe, source), .flow = flow});
  command.mutable_subscribe()->mutable_dialog()->set_gateway(
      settings_.link.group.empty() ? settings_.link.gateway : settings_.link.group);
  link_.Submit(std::move(command), [this, id](const v1::CommandReply& reply) {
    Respond(id, AnswerToSubscribe(reply));
  });
}

// ---- answers ----

void Gateway::Respond(ServerTransactionId id, Answer answer) {
  const Message* request = server_transactions_.Request(id);
  if (request == nullptr) return;
  if (answer.to_tag.empty() && request->to().tag.empty()) answer.to_tag = RandomHex(tags_, 64);
  if (const std::optional<StoredAnswer> stored = ToStored(answer)) {
    server_transactions_.Respond(id, *stored);
  } else {
    server_transactions_.RespondOnce(id,
                                     Print(*request, *server_transactions_.SourceOf(id), answer));
  }
}

std::string Gateway::PrintAnswer(const Message& request, const Source& source,
                                 const StoredAnswer& answer) {
  return Print(request, source, FromStored(answer));
}

// The one place that every answer to a whole request passes, those of the transactions included.
std::string Gateway::Print(const Message& request, const Source& source, const Answer& answer) {
  ++stats_.answers_by_code[StatusOf(answer)];
  const ViaMark mark = MarkVia(source, request.top_via());
  return sip::PrintAnswer(request, answer, capabilities_,
                          {.contact = ContactFor(request, source),
                           .via_received = mark.received,
                           .via_rport = mark.rport});
}

const std::string& Gateway::ContactFor(const Message& request, const Source& source) const {
  // Only a SUBSCRIBE makes a dialog; nobody else's answer has a Contact.
  if (request.method() != "SUBSCRIBE") return contacts_.Of(source.listener, /*is_sips=*/false);
  // RFC 3261 12.1.1: sips if the Request-URI, or the top Record-Route, is sips.
  const SipUri* uri = request.request_uri();
  bool is_sips = uri != nullptr && uri->scheme() == "sips";
  const std::vector<std::string_view> routes = request.record_routes();
  if (!routes.empty()) {
    const absl::StatusOr<NameAddr> top = ParseNameAddr(routes.front());
    is_sips = is_sips || (top.ok() && top->uri.starts_with("sips:"));
  }
  return contacts_.Of(source.listener, is_sips);
}

// ---- from the core ----

void Gateway::OnConnected(const std::string& address, const v1::Welcome& welcome) {
  capabilities_.Learn(welcome);
  if (observer_ != nullptr) observer_->OnCoreConnected(address, welcome);
}

void Gateway::OnDisconnected(const std::string& address, const absl::Status& why) {
  if (observer_ != nullptr) observer_->OnCoreDisconnected(address, why);
}

void Gateway::OnCoreLost() {
  const size_t given_up = notifier_.in_flight();
  notifier_.GiveUpAll();
  if (observer_ != nullptr) observer_->OnCoreLost(given_up);
}

void Gateway::OnInstruction(v1::NotifyInstruction instruction, std::string_view body) {
  notifier_.Instruct(std::move(instruction), body);
}

// ---- turns ----

absl::Time Gateway::Advance(absl::Time now) {
  absl::Time due = server_transactions_.Advance(now);
  client_transactions_.Advance(now);
  due = std::min(due, link_.Advance(now));
  link_.Flush();
  transport_.Flush();
  // Not before: a failure that Flush() tells begins a new attempt.
  return std::min(due, client_transactions_.NextDue());
}

bool Gateway::is_drained() const {
  return server_transactions_.stats().pending == 0 && notifier_.in_flight() == 0 && link_.is_idle();
}

GatewayStats Gateway::stats() const {
  GatewayStats stats = stats_;
  stats.server_transactions = server_transactions_.stats();
  stats.client_transactions = client_transactions_.stats();
  stats.notifier = notifier_.stats();
  stats.link = link_.stats();
  return stats;
}

}  // namespace presence::sip
