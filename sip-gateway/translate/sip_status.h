#ifndef PRESENCE_SIP_GATEWAY_TRANSLATE_SIP_STATUS_H_
#define PRESENCE_SIP_GATEWAY_TRANSLATE_SIP_STATUS_H_

#include <cstdint>

#include "presence/v1/errors.pb.h"
#include "presence/v1/gateway.pb.h"
#include "sip-gateway/translate/answer.h"

namespace presence::sip {

// Retry-After where the reason names none: long enough for a core to restart, short enough that a
// phone does not look dead.
inline constexpr uint32_t kDefaultRetryAfterSeconds = 5;

// The one table from ErrorReason to SIP. A reason this version does not know is a 500: it comes
// from a newer core, and the phone can do nothing about it.
AnswerKind KindOf(v1::ErrorReason reason);

// The answer to a request whose call was refused, with what its headers need out of the error's
// metadata.
Answer AnswerToError(const v1::CommandError& error);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSLATE_SIP_STATUS_H_
