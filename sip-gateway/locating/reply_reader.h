#ifndef PRESENCE_SIP_GATEWAY_LOCATING_REPLY_READER_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_REPLY_READER_H_

#include <cstdint>
#include <span>

#include "sip-gateway/locating/dns_resolver.h"

namespace presence::sip {

// Reads the DNS message that answers a question of `type` with a success code: c-ares parses, this
// keeps what RFC 3263 can use. Names that are none, NAPTR records of other applications and records
// beyond 64 are left out; kNone when nothing is left, kFailed when the message is malformed.
DnsReply ReadReply(RecordType type, std::span<const uint8_t> message);

// The reply for a message that says "no such name" or "no such records"; it may be empty.
DnsReply ReadNegativeReply(std::span<const uint8_t> message);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_REPLY_READER_H_
