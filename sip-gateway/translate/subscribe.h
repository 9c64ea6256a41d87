#ifndef PRESENCE_SIP_GATEWAY_TRANSLATE_SUBSCRIBE_H_
#define PRESENCE_SIP_GATEWAY_TRANSLATE_SUBSCRIBE_H_

#include <string_view>

#include "presence/v1/gateway.pb.h"
#include "presence/v1/presence.pb.h"
#include "sip-gateway/sofia/message.h"
#include "sip-gateway/translate/answer.h"
#include "sip-gateway/translate/identity.h"

namespace presence::sip {

// Where a SUBSCRIBE came in, as its dialog remembers it.
struct Arrival {
  std::string_view local_contact = {};  // our Contact URI towards this watcher
  std::string_view flow = {};           // names the connection; empty on UDP
};

// The call that a SUBSCRIBE which passed CheckRequest() asks for (RFC 6665 4.2.1, RFC 3261 12.1.1).
v1::SubscribeRequest ToSubscribeRequest(const Message& subscribe, const Trust& trust,
                                        const Arrival& arrival);

// The answer to a SUBSCRIBE, from the core's reply to ToSubscribeRequest().
Answer AnswerToSubscribe(const v1::CommandReply& reply);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSLATE_SUBSCRIBE_H_
