#ifndef PRESENCE_SIP_GATEWAY_SERVER_STORED_ANSWERS_H_
#define PRESENCE_SIP_GATEWAY_SERVER_STORED_ANSWERS_H_

#include <optional>

#include "sip-gateway/transaction/stored_answer.h"
#include "sip-gateway/translate/answer.h"

namespace presence::sip {

// An answer as the server transaction keeps it. Nothing for one that does not fit: its tags are too
// long, or it has a list of its own.
std::optional<StoredAnswer> ToStored(const Answer& answer);

// The answer kept. One that the transactions made by themselves has only a status.
Answer FromStored(const StoredAnswer& stored);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SERVER_STORED_ANSWERS_H_
