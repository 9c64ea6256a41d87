#ifndef PRESENCE_SIP_GATEWAY_TRANSLATE_NOTIFY_H_
#define PRESENCE_SIP_GATEWAY_TRANSLATE_NOTIFY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "presence/v1/gateway.pb.h"
#include "sip-gateway/sofia/printer.h"

namespace presence::sip {

// Subscription-State of an instruction (RFC 6665 4.1.3 and 8.2.3): active and pending with what is
// left of the lifetime; terminated with its reason, without expires, and with retry-after only
// where the reason gives it a meaning (N02).
std::string SubscriptionStateValue(const v1::NotifyInstruction& instruction);

// Event of an instruction: the package, and the id its SUBSCRIBE had (S02).
std::string EventValue(const v1::NotifyInstruction& instruction);

// A NOTIFY to be sent, perhaps several times and over several protocols: everything but its Via.
// Owns all it needs. Stays on its thread.
class NotifyMessage {
 public:
  // `default_contact` serves a dialog that names no contact of ours; `product` goes into
  // User-Agent. Errors: INVALID_ARGUMENT   no message can be made of it: an unparsable target,
  // route or state.
  static absl::StatusOr<NotifyMessage> Make(v1::NotifyInstruction instruction, std::string body,
                                            std::string_view default_contact,
                                            std::string_view product);

  NotifyMessage(NotifyMessage&&) = default;
  NotifyMessage& operator=(NotifyMessage&&) = default;

  const v1::NotifyInstruction& instruction() const { return instruction_; }

  // URI of the next hop: the first Route, or the remote target (RFC 3261 12.2.1.1, 8.1.2).
  const std::string& next_hop() const { return routed_.next_hop; }

  // The whole request below this top Via.
  // Errors: INVALID_ARGUMENT   a value would break the message open.
  absl::StatusOr<std::string> Print(std::string_view via) const;

 private:
  NotifyMessage() = default;

  v1::NotifyInstruction instruction_;
  std::string body_;
  std::string contact_;
  std::string event_;
  std::string state_;
  std::string product_;
  RoutedTarget routed_;
};

// Names an instruction.
v1::InstructionId IdOf(const v1::NotifyInstruction& instruction);

// What a final answer to a NOTIFY means to the core.
v1::NotifyResult AnsweredResult(const v1::InstructionId& id, int code,
                                std::optional<uint32_t> retry_after_seconds);
// Any other end of a NOTIFY.
v1::NotifyResult FailedResult(const v1::InstructionId& id, v1::NotifyResult::Outcome outcome);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSLATE_NOTIFY_H_
