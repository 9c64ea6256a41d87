#ifndef PRESENCE_SIP_GATEWAY_TRANSLATE_PUBLISH_H_
#define PRESENCE_SIP_GATEWAY_TRANSLATE_PUBLISH_H_

#include "presence/v1/gateway.pb.h"
#include "presence/v1/presence.pb.h"
#include "sip-gateway/sofia/message.h"
#include "sip-gateway/translate/answer.h"
#include "sip-gateway/translate/identity.h"

namespace presence::sip {

// The call that a PUBLISH which passed CheckRequest() asks for (RFC 3903 6).
//
// A body in a Content-Encoding we do not decode travels as a question only (`validate_only`, no
// document): the core still finds a stale tag or a short lifetime, which come first in RFC 3903 6,
// and AnswerToPublish() makes the 415 of it (P03, P16).
v1::PublishRequest ToPublishRequest(const Message& publish, const Trust& trust);

// The answer to a PUBLISH, from the core's reply to ToPublishRequest().
Answer AnswerToPublish(const Message& publish, const v1::CommandReply& reply);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSLATE_PUBLISH_H_
