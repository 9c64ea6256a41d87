#ifndef PRESENCE_SIP_GATEWAY_SOFIA_PRESCAN_H_
#define PRESENCE_SIP_GATEWAY_SOFIA_PRESCAN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/container/inlined_vector.h"

namespace presence::sip {

// What a message may cost us before anybody looked at its meaning.
struct ScanLimits {
  size_t max_message_bytes = 64 * 1024;  // head and body; no UDP datagram is longer either
  size_t max_head_bytes = 16 * 1024;     // start line and header fields
  size_t max_line_bytes = 8 * 1024;      // the start line, or one header field with its folds
  size_t max_fields = 256;               // header fields; a Via stack of 70 hops fits four times
};

// Header fields the scan itself or the message's checks need to tell apart. A compact form (RFC
// 3261 7.3.3) has the id of its long form.
enum class FieldId : uint8_t {
  kOther,
  kAccept,
  kCallId,
  kContact,
  kContentEncoding,
  kContentLength,
  kContentType,
  kCSeq,
  kEvent,
  kExpires,
  kFrom,
  kMaxForwards,
  kPAssertedIdentity,
  kRecordRoute,
  kRequire,
  kRetryAfter,
  kRoute,
  kSipIfMatch,
  kSupported,
  kTo,
  kVia,
};

// The id of a header name in long or compact form, in any case.
FieldId FieldIdOf(std::string_view name);

// One header field as it stood in the message.
struct HeaderField {
  FieldId id = FieldId::kOther;
  std::string_view name;  // as written, so perhaps in compact form
  std::string_view
      value;  // without outer white space; folds (CRLF and white space) are still in it
};

// A message whose frame is sound: its lines, its header fields' outlines and its length. The values
// are not yet checked. All views point into the bytes that were scanned.
struct ScannedMessage {
  std::string_view bytes;        // start line up to the end of the body
  std::string_view method;       // of a request; empty in a response
  std::string_view request_uri;  // of a request, not yet parsed
  int status = 0;                // of a response, 100 to 699; 0 in a request
  std::string_view phrase;       // of a response
  absl::InlinedVector<HeaderField, 24> fields;
  std::string_view body;

  bool is_request() const { return status == 0; }
};

// RFC 5626 3.5.1 and 4.4.1: CRLFCRLF is a ping and wants CRLF back on a stream; CRLF is a pong. On
// a datagram socket either keeps a NAT binding alive and wants nothing.
struct KeepAlive {
  bool is_ping = false;
};

// The parts of a request that every response repeats (RFC 3261 8.2.6.2), taken from its raw text.
// The request may be broken elsewhere. Views point into the scanned bytes.
struct AnswerableRequest {
  std::string_view method;
  absl::InlinedVector<std::string_view, 4>
      vias;  // field values, top first; one may list several Vias
  std::string_view from;
  std::string_view to;
  std::string_view call_id;
  std::string_view cseq;
};

// Bytes that are not a message we go on with.
struct Refusal {
  int status = 400;         // 400, 413, 505 or 513
  std::string_view phrase;  // names the fault, for the status line; static text
  // How to answer. Absent: say nothing, because it is a response, an ACK, not SIP at all, or lacks
  // what an answer is made of (RFC 3261 18.3, 17.1.1.3, 8.2.6.2).
  std::optional<AnswerableRequest> answerable;
};

using ScanResult = std::variant<ScannedMessage, KeepAlive, Refusal>;

// Reads the frame of the one message a datagram holds: strict where Sofia-SIP is lenient. Lines end
// in CRLF and nothing else, the head holds no NUL, every size is capped before it costs anything.
// RFC 3261 18.3: a body shorter than its Content-Length is refused; bytes after it are dropped;
// without Content-Length the body runs to the end of the datagram. Pure; safe to call from any
// thread.
ScanResult PreScan(std::string_view datagram, const ScanLimits& limits = {});

// What an answer to this request repeats, or nothing if it must not or cannot be answered.
std::optional<AnswerableRequest> ExtractAnswerable(const ScannedMessage& message);

// Cuts the byte stream of one connection into messages. Stays on its connection's thread. It owns
// the bytes that have come and not been consumed, never more than one message's limit and one
// Feed(): a claimed Content-Length reserves nothing.
class StreamFramer {
 public:
  struct NeedMore {};
  using Event = std::variant<NeedMore, ScannedMessage, KeepAlive, Refusal>;

  explicit StreamFramer(const ScanLimits& limits = {}) : limits_(limits) {}

  void Feed(std::string_view bytes);

  // The next thing in the stream. Call it until it says NeedMore. Views in the event hold until the
  // next call of Feed() or Next(). After a Refusal the stream has lost its frame: answer if
  // `answerable`, then close; every later call repeats NeedMore and Feed() discards. A message
  // without Content-Length is such a Refusal (RFC 3261 18.3 demands it on a stream).
  Event Next();

  // Whether part of a message has come, so that a deadline for the rest should run. Lone CRLFs are
  // none.
  bool has_partial_message() const;

  bool is_broken() const { return is_broken_; }
  size_t buffered_bytes() const { return buffer_.size() - consumed_; }

 private:
  Event ScanBuffered();
  Refusal Break(Refusal refusal);

  const ScanLimits limits_;
  std::string buffer_;
  size_t consumed_ = 0;      // bytes of buffer_ already handed out
  size_t head_scanned_ = 0;  // bytes after consumed_ known to hold no end of head
  size_t message_size_ = 0;  // once the head is complete: bytes of the whole message
  bool is_broken_ = false;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SOFIA_PRESCAN_H_
