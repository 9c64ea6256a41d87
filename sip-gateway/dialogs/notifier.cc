#include "sip-gateway/dialogs/notifier.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <variant>

#include "sip-gateway/dialogs/flow_name.h"
#include "sip-gateway/sofia/sip_uri.h"

namespace presence::sip {
namespace {

absl::StatusOr<Destination> DestinationOf(const std::string& uri_text) {
  const absl::StatusOr<SipUri> uri = SipUri::Parse(uri_text);
  if (!uri.ok()) return uri.status();
  Destination destination;
  destination.is_sips = uri->scheme() == "sips";
  destination.host = uri->host();
  destination.port = uri->port();
  destination.transport = uri->parameter("transport").value_or("");
  destination.maddr = uri->parameter("maddr").value_or("");
  return destination;
}

}  // namespace

Notifier::Notifier(NotifierConfig config, Transport& transport, ClientTransactions& transactions,
                   Locator& locator, const LocalContacts& contacts, Reporter report)
    : config_(std::move(config)),
      transport_(transport),
      transactions_(transactions),
      locator_(locator),
      contacts_(contacts),
      report_(std::move(report)) {}

// Their callbacks hold `this`.
Notifier::~Notifier() {
  for (auto& [tag, sending] : dialogs_) Cancel(sending);
}

void Notifier::Instruct(v1::NotifyInstruction instruction, std::string_view body) {
  ++stats_.instructed;
  if (!TakesPlace(instruction)) return;
  const std::string tag = instruction.dialog().local_tag();
  const FlowId flow = FlowOf(instruction.dialog().flow());
  Sending& sending = dialogs_[tag];
  sending.id = IdOf(instruction);
  absl::StatusOr<NotifyMessage> message =
      NotifyMessage::Make(std::move(instruction), std::string(body),
                          contacts_.Of(kAnyListener, /*is_sips=*/false), config_.product);
  if (!message.ok()) {
    Finish(tag, v1::NotifyResult::OUTCOME_UNSENDABLE);
    return;
  }
  sending.message = std::make_shared<const NotifyMessage>(*std::move(message));
  if (flow != kNoFlow && transport_.IsOpen(flow)) {
    SendOverFlow(tag, flow);
  } else {
    SendToNextHop(tag);
  }
}

// Makes way for a newer instruction. False for one that is not newer: a late repetition.
bool Notifier::TakesPlace(const v1::NotifyInstruction& instruction) {
  const auto it = dialogs_.find(instruction.dialog().local_tag());
  if (it == dialogs_.end()) return true;
  const v1::InstructionId& present = it->second.id;
  const auto newer = std::tuple(instruction.epoch(), instruction.cseq());
  const auto older = std::tuple(present.epoch(), present.cseq());
  if (newer == older) return false;  // the one result there will be answers both
  if (newer < older) {
    Count(v1::NotifyResult::OUTCOME_SUPERSEDED);
    report_(FailedResult(IdOf(instruction), v1::NotifyResult::OUTCOME_SUPERSEDED));
    return false;
  }
  Cancel(it->second);
  Finish(it->first, v1::NotifyResult::OUTCOME_SUPERSEDED);
  return true;
}

void Notifier::Cancel(Sending& sending) {
  if (sending.lookup != 0) locator_.Cancel(sending.lookup);
  if (sending.transaction != 0) transactions_.Stop(sending.transaction);
  sending.lookup = 0;
  sending.transaction = 0;
}

void Notifier::SendOverFlow(const std::string& tag, FlowId flow) {
  Sending& sending = dialogs_.find(tag)->second;
  sending.is_over_flow = true;
  NextHop hop;
  hop.protocol = Protocol::kTcp;
  hop.flow = flow;
  hop.may_connect = false;  // if it is lost meanwhile the Contact decides where to connect to
  Start(tag, {hop});
}

void Notifier::SendToNextHop(const std::string& tag) {
  Sending& sending = dialogs_.find(tag)->second;
  sending.is_over_flow = false;
  const absl::StatusOr<Destination> destination = DestinationOf(sending.message->next_hop());
  if (!destination.ok()) {
    Finish(tag, v1::NotifyResult::OUTCOME_UNSENDABLE);
    return;
  }
  std::variant<LocateResult, LookupId> located = locator_.Locate(
      *destination, [this, tag](LocateResult result) { OnLocated(tag, std::move(result)); });
  if (LookupId* lookup = std::get_if<LookupId>(&located)) {
    sending.lookup = *lookup;
  } else {
    OnLocated(tag, std::get<LocateResult>(std::move(located)));
  }
}

void Notifier::OnLocated(const std::string& tag, LocateResult result) {
  Sending& sending = dialogs_.find(tag)->second;
  sending.lookup = 0;
  if (!result.ok()) {
    const absl::StatusCode code = result.status().code();
    const bool is_hopeless =
        code == absl::StatusCode::kInvalidArgument || code == absl::StatusCode::kUnimplemented;
    if (is_hopeless) return Finish(tag, v1::NotifyResult::OUTCOME_UNSENDABLE);
    return OnUnreachable(tag);
  }
  const ListenerId listener =
      contacts_.ListenerOf(sending.message->instruction().dialog().local_contact());
  absl::InlinedVector<NextHop, 2> hops;
  for (const Target& target : *result) {
    const std::optional<IpAddress> ip = IpAddress::Parse(target.ip);
    const bool is_ours =
        target.protocol == TargetProtocol::kUdp || target.protocol == TargetProtocol::kTcp;
    if (!ip.has_value() || !is_ours) continue;
    NextHop hop;
    hop.protocol = target.protocol == TargetProtocol::kUdp ? Protocol::kUdp : Protocol::kTcp;
    hop.remote = SocketAddress(*ip, target.port);
    // A Contact that names ourselves would have every NOTIFY come back as a request.
    if (transport_.IsOwnAddress(hop.remote)) continue;
    hop.listener = listener;
    hops.push_back(hop);
  }
  if (hops.empty()) {
    ++stats_.loops;
    return Finish(tag, v1::NotifyResult::OUTCOME_UNSENDABLE);
  }
  Start(tag, std::move(hops));
}

void Notifier::Start(const std::string& tag, absl::InlinedVector<NextHop, 2> hops) {
  Sending& sending = dialogs_.find(tag)->second;
  ClientRequest request;
  request.method = "NOTIFY";
  request.render = [message = sending.message](std::string_view via) {
    return message->Print(via);
  };
  request.hops = std::move(hops);
  request.on_outcome = [this, tag](const ClientOutcome& outcome) { OnOutcome(tag, outcome); };
  sending.transaction = transactions_.Start(std::move(request));
}

void Notifier::OnOutcome(const std::string& tag, const ClientOutcome& outcome) {
  const auto it = dialogs_.find(tag);
  it->second.transaction = 0;
  switch (outcome.kind) {
    case ClientOutcome::Kind::kAnswered: {
      v1::NotifyResult result =
          AnsweredResult(it->second.id, outcome.status, outcome.retry_after_seconds);
      Count(result.outcome());
      ++stats_.answered_by_code[outcome.status];
      dialogs_.erase(it);
      report_(std::move(result));
      return;
    }
    case ClientOutcome::Kind::kTimedOut:
      return Finish(tag, v1::NotifyResult::OUTCOME_TIMEOUT);
    case ClientOutcome::Kind::kUnsendable:
      return Finish(tag, v1::NotifyResult::OUTCOME_UNSENDABLE);
    case ClientOutcome::Kind::kTransportError:
      if (it->second.is_over_flow) {
        ++stats_.flow_fallbacks;
        return SendToNextHop(tag);
      }
      return OnUnreachable(tag);
  }
}

// RFC 5626 5.3: a dialog bound to a flow may have no other way to its watcher, which is no fault of
// the watcher's; any other next hop may be back in a moment.
void Notifier::OnUnreachable(const std::string& tag) {
  const bool is_bound_to_flow =
      !dialogs_.find(tag)->second.message->instruction().dialog().flow().empty();
  if (!is_bound_to_flow) return Finish(tag, v1::NotifyResult::OUTCOME_TRANSPORT_ERROR);
  Finish(tag, config_.removes_on_flow_lost ? v1::NotifyResult::OUTCOME_FLOW_LOST_REMOVE
                                           : v1::NotifyResult::OUTCOME_NO_FLOW);
}

void Notifier::Finish(const std::string& tag, v1::NotifyResult::Outcome outcome) {
  const auto it = dialogs_.find(tag);
  v1::NotifyResult result = FailedResult(it->second.id, outcome);
  dialogs_.erase(it);
  Count(outcome);
  report_(std::move(result));
}

void Notifier::Count(v1::NotifyResult::Outcome outcome) {
  switch (outcome) {
    case v1::NotifyResult::OUTCOME_ANSWERED:
      ++stats_.answered;
      break;
    case v1::NotifyResult::OUTCOME_TIMEOUT:
      ++stats_.timed_out;
      break;
    case v1::NotifyResult::OUTCOME_TRANSPORT_ERROR:
      ++stats_.transport_errors;
      break;
    case v1::NotifyResult::OUTCOME_NO_FLOW:
    case v1::NotifyResult::OUTCOME_FLOW_LOST_REMOVE:
      ++stats_.no_flow;
      break;
    case v1::NotifyResult::OUTCOME_SUPERSEDED:
      ++stats_.superseded;
      break;
    case v1::NotifyResult::OUTCOME_UNSENDABLE:
      ++stats_.unsendable;
      break;
    default:
      break;
  }
}

void Notifier::GiveUpAll() {
  stats_.given_up += dialogs_.size();
  for (auto& [tag, sending] : dialogs_) Cancel(sending);
  dialogs_.clear();
}

std::vector<v1::InstructionId> Notifier::InFlight() const {
  std::vector<v1::InstructionId> ids;
  ids.reserve(dialogs_.size());
  for (const auto& [tag, sending] : dialogs_) ids.push_back(sending.id);
  return ids;
}

NotifierStats Notifier::stats() const {
  NotifierStats stats = stats_;
  stats.in_flight = dialogs_.size();
  return stats;
}

}  // namespace presence::sip
