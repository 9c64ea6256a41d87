#include "sip-gateway/translate/notify.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sip-gateway/translate/abseil_text.h"

namespace presence::sip {
namespace {

// Event reasons of RFC 6665 4.1.3.
std::string_view ReasonName(v1::TerminationReason reason) {
  switch (reason) {
    case v1::TERMINATION_REASON_DEACTIVATED:
      return "deactivated";
    case v1::TERMINATION_REASON_PROBATION:
      return "probation";
    case v1::TERMINATION_REASON_REJECTED:
      return "rejected";
    case v1::TERMINATION_REASON_TIMEOUT:
      return "timeout";
    case v1::TERMINATION_REASON_GIVEUP:
      return "giveup";
    case v1::TERMINATION_REASON_NORESOURCE:
      return "noresource";
    case v1::TERMINATION_REASON_INVARIANT:
      return "invariant";
    default:
      return {};
  }
}

// Elsewhere retry-after has no defined meaning: RFC 6665 4.1.3.
bool HasRetryAfter(v1::TerminationReason reason) {
  return reason == v1::TERMINATION_REASON_PROBATION || reason == v1::TERMINATION_REASON_GIVEUP ||
         reason == v1::TERMINATION_REASON_INVARIANT;
}

}  // namespace

std::string SubscriptionStateValue(const v1::NotifyInstruction& instruction) {
  // Rounded down: never more than was granted.
  const int64_t left = std::max<int64_t>(0, instruction.expiry().seconds());
  switch (instruction.state()) {
    case v1::SUBSCRIPTION_STATE_ACTIVE:
      return absl::StrCat("active;expires=", left);
    case v1::SUBSCRIPTION_STATE_PENDING:
      return absl::StrCat("pending;expires=", left);
    case v1::SUBSCRIPTION_STATE_TERMINATED: {
      std::string value = "terminated";
      if (const std::string_view reason = ReasonName(instruction.reason()); !reason.empty()) {
        absl::StrAppend(&value, ";reason=", Abseil(reason));
      }
      if (instruction.has_retry_after() && HasRetryAfter(instruction.reason())) {
        absl::StrAppend(&value, ";retry-after=", instruction.retry_after().seconds());
      }
      return value;
    }
    default:
      return {};
  }
}

std::string EventValue(const v1::NotifyInstruction& instruction) {
  if (instruction.event_id().empty()) return instruction.event();
  return absl::StrCat(instruction.event(), ";id=", instruction.event_id());
}

absl::StatusOr<NotifyMessage> NotifyMessage::Make(v1::NotifyInstruction instruction,
                                                  std::string body,
                                                  std::string_view default_contact,
                                                  std::string_view product) {
  NotifyMessage message;
  message.state_ = SubscriptionStateValue(instruction);
  if (message.state_.empty()) {
    return absl::InvalidArgumentError("a NOTIFY without a subscription state");
  }
  const v1::Dialog& dialog = instruction.dialog();
  const absl::InlinedVector<std::string_view, 4> routes(dialog.route_set().begin(),
                                                        dialog.route_set().end());
  absl::StatusOr<RoutedTarget> routed = RouteInDialog(dialog.remote_target(), routes);
  if (!routed.ok()) return routed.status();
  message.routed_ = *std::move(routed);
  message.event_ = EventValue(instruction);
  message.body_ = std::move(body);
  message.product_ = product;
  const std::string_view contact =
      dialog.local_contact().empty() ? default_contact : dialog.local_contact();
  // In brackets, or its parameters would be the header's (RFC 3261 20.10).
  message.contact_ = absl::StrCat("<", Abseil(contact), ">");
  message.instruction_ = std::move(instruction);
  return message;
}

absl::StatusOr<std::string> NotifyMessage::Print(std::string_view via) const {
  const v1::Dialog& dialog = instruction_.dialog();
  const absl::InlinedVector<std::string_view, 4> routes(routed_.routes.begin(),
                                                        routed_.routes.end());
  absl::InlinedVector<Header, 3> headers = {{"Event", event_}, {"Subscription-State", state_}};
  if (!product_.empty()) headers.push_back({"User-Agent", product_});

  RequestSpec spec;
  spec.method = "NOTIFY";
  spec.request_uri = routed_.request_uri;
  spec.via = via;
  spec.from = dialog.local_uri();
  spec.from_tag = dialog.adopted_tag().empty() ? dialog.local_tag() : dialog.adopted_tag();
  spec.to = dialog.remote_uri();
  spec.to_tag = dialog.remote_tag();
  spec.call_id = dialog.call_id();
  spec.cseq = instruction_.cseq();
  spec.routes = routes;
  spec.contact = contact_;
  spec.headers = headers;
  if (!body_.empty()) {
    spec.content_type = instruction_.content_type();
    spec.body = body_;
  }
  return PrintRequest(spec);
}

v1::InstructionId IdOf(const v1::NotifyInstruction& instruction) {
  v1::InstructionId id;
  id.set_local_tag(instruction.dialog().local_tag());
  id.set_cseq(instruction.cseq());
  id.set_epoch(instruction.epoch());
  return id;
}

v1::NotifyResult AnsweredResult(const v1::InstructionId& id, int code,
                                std::optional<uint32_t> retry_after_seconds) {
  v1::NotifyResult result;
  *result.mutable_id() = id;
  result.set_outcome(v1::NotifyResult::OUTCOME_ANSWERED);
  result.set_code(static_cast<uint32_t>(code));
  if (retry_after_seconds.has_value()) {
    result.mutable_retry_after()->set_seconds(*retry_after_seconds);
  }
  return result;
}

v1::NotifyResult FailedResult(const v1::InstructionId& id, v1::NotifyResult::Outcome outcome) {
  v1::NotifyResult result;
  *result.mutable_id() = id;
  result.set_outcome(outcome);
  return result;
}

}  // namespace presence::sip
