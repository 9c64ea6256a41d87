#ifndef PRESENCE_SIP_GATEWAY_TRANSLATE_ANSWER_H_
#define PRESENCE_SIP_GATEWAY_TRANSLATE_ANSWER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sip-gateway/sofia/message.h"
#include "sip-gateway/sofia/prescan.h"
#include "sip-gateway/translate/capabilities.h"

namespace presence::sip {

// Which answer a request gets: one row of the table in answer.cc, that is a status, a phrase and
// the headers that belong to it. The numbers are kept with answered transactions of this process
// only.
enum class AnswerKind : uint16_t {
  kPlain = 0,  // the status alone, with its standard phrase
  kPublished,
  kSubscribed,
  kOptions,
  kBadRequestUri,
  kBadFromTag,
  kBadContact,
  kBadRecordRoute,
  kBadUri,
  kBadField,
  kBadDocument,
  kUnauthorized,
  kWatcherBlocked,
  kForbidden,
  kEventMismatch,
  kDomainNotServed,
  kPublicationUnknown,
  kMethodNotAllowed,
  kNotAcceptable,
  kEtagMismatch,
  kDocumentTooLarge,
  kUnsupportedContent,
  kUnsupportedEncoding,
  kUnsupportedScheme,
  kBadExtension,
  kIntervalTooBrief,
  kNoSuchDialog,
  kTooManyHops,
  kBadEvent,
  kCseqTooOld,
  kInternal,
  kUnknownMethod,
  kNotServedYet,
  kUnavailable,
  kOverloaded,
  kCoreUnreachable,
};

// An answer, as far as the request it answers and the configuration do not give it. A value.
struct Answer {
  AnswerKind kind = AnswerKind::kPlain;
  int status = 0;           // of kPlain; every other kind has its own
  uint32_t seconds = 0;     // Expires of a 2xx, Min-Expires of a 423, Retry-After of a 503
  std::string to_tag = {};  // empty: the caller chooses one
  std::string etag = {};    // SIP-ETag of kPublished
  std::string list = {};    // Accept or Allow-Events, where it differs from the capabilities
};

// Status of `answer`, the kind's own where it has one.
int StatusOf(const Answer& answer);

// What of an answer depends on where its request came in.
struct AnswerContext {
  std::string_view contact = {};           // our Contact URI, for kSubscribed
  std::string_view via_received = {};      // RFC 3261 18.2.1; empty: none
  std::optional<uint16_t> via_rport = {};  // RFC 3581 4
};

// The answer's bytes, a function of the arguments alone: the same again for a retransmission.
std::string PrintAnswer(const Message& request, const Answer& answer,
                        const Capabilities& capabilities, const AnswerContext& context);

// The answer to a request that was refused before it became a Message.
std::string PrintRefusal(const AnswerableRequest& request, int status, std::string_view phrase,
                         std::string_view to_tag, const Capabilities& capabilities,
                         const AnswerContext& context);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSLATE_ANSWER_H_
