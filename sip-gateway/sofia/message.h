#ifndef PRESENCE_SIP_GATEWAY_SOFIA_MESSAGE_H_
#define PRESENCE_SIP_GATEWAY_SOFIA_MESSAGE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "sip-gateway/sofia/header_values.h"
#include "sip-gateway/sofia/prescan.h"
#include "sip-gateway/sofia/sip_uri.h"

namespace presence::sip {

// A SIP message that came in, parsed and checked; immutable. Stays on the thread that parsed it.
// Owns the bytes: every view it gives out lives as long as it does.
//
// What holds for every Message: Via, From, To, Call-ID and CSeq are there, once where only once is
// allowed, and well-formed; a request's CSeq names its method; headers that its method's processing
// needs are well-formed. A malformed header that nobody needs reads as absent (RFC 3261 8.2.2).
class Message {
 public:
  // Errors: INVALID_ARGUMENT   the text names the fault in words fit for a 400's reason phrase.
  // Whether and
  //                            how to answer says ExtractAnswerable(scanned).
  static absl::StatusOr<std::unique_ptr<Message>> Parse(const ScannedMessage& scanned);

  ~Message();
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  bool is_request() const;
  std::string_view method() const;            // of the request; of a response the CSeq method
  std::string_view request_uri_text() const;  // as written; empty in a response
  // Parsed Request-URI, of any scheme. Null in a response.
  const SipUri* request_uri() const;
  int status() const;  // 0 in a request
  std::string_view phrase() const;

  std::string_view call_id() const;
  uint32_t cseq() const;
  std::string_view cseq_method() const;
  const NameAddr& from() const;
  const NameAddr& to() const;

  const Via& top_via() const;
  size_t via_count() const;

  // What every answer repeats; of a request only.
  AnswerableRequest answerable() const;

  // Name-addrs as text, in order, ready to be a Route value.
  std::vector<std::string_view> routes() const;
  std::vector<std::string_view> record_routes() const;

  // All Contact values. Absent, empty and `*` can be told apart from it; an unparsable value makes
  // the list an error.
  absl::StatusOr<std::vector<NameAddr>> contacts() const;

  std::optional<uint32_t> expires() const;
  std::optional<EventField> event() const;
  std::optional<std::string_view> sip_if_match() const;
  std::optional<uint32_t> max_forwards() const;
  std::optional<uint32_t> retry_after() const;  // seconds

  // Absent is not the same as present and empty: RFC 3261 20.1, the latter accepts nothing.
  std::optional<std::vector<MediaType>> accept() const;
  std::optional<MediaType> content_type() const;
  std::vector<std::string_view> content_encodings() const;
  std::vector<std::string_view> require() const;
  std::vector<std::string_view> supported() const;

  // P-Asserted-Identity (RFC 3325): believe it from a trusted peer only.
  std::vector<NameAddr> asserted_identities() const;

  // Value of the first header of that name in long form, any case; compact forms are found too.
  // Folds are still in it: Unfold() it where that matters. Absent: nullopt; present and empty: an
  // empty view.
  std::optional<std::string_view> header(std::string_view name) const;
  // Values of all headers of that name, in order.
  std::vector<std::string_view> headers(std::string_view name) const;

  std::string_view body() const;
  std::string_view bytes() const;  // all of the message as it came

 private:
  struct Parsed;
  explicit Message(std::unique_ptr<Parsed> parsed);
  const std::unique_ptr<Parsed> parsed_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SOFIA_MESSAGE_H_
