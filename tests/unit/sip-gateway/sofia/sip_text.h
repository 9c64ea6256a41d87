#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_SOFIA_SIP_TEXT_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_SOFIA_SIP_TEXT_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "gtest/gtest.h"
#include "sip-gateway/sofia/message.h"
#include "sip-gateway/sofia/prescan.h"

namespace presence::sip {

// Text with \n line ends as it goes over the wire.
inline std::string Crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out.push_back('\r');
    out.push_back(c);
  }
  return out;
}

// A request with everything a request needs; a test changes what it is about.
struct RequestText {
  std::string start_line = "PUBLISH sip:alice@example.com SIP/2.0";
  std::string via = "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK776asdhds;rport\n";
  std::string max_forwards = "Max-Forwards: 70\n";
  std::string from = "From: \"Alice\" <sip:alice@example.com>;tag=1928301774\n";
  std::string to = "To: <sip:alice@example.com>\n";
  std::string call_id = "Call-ID: a84b4c76e66710@192.0.2.1\n";
  std::string cseq = "CSeq: 314159 PUBLISH\n";
  std::string extra;  // further header lines, each ended by \n
  std::string body;

  RequestText& Method(std::string_view method) {
    start_line = std::string(method) + " sip:alice@example.com SIP/2.0";
    cseq = "CSeq: 314159 " + std::string(method) + "\n";
    return *this;
  }
  RequestText& With(std::string_view headers) {
    extra += headers;
    return *this;
  }
  std::string Head() const {
    return Crlf(start_line + "\n" + via + max_forwards + from + to + call_id + cseq + extra);
  }
  // With a right Content-Length.
  std::string Text() const {
    return Head() + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  std::string TextWithoutLength() const { return Head() + "\r\n" + body; }
};

inline ScannedMessage Scan(std::string_view text) {
  ScanResult result = PreScan(text);
  if (const auto* refusal = std::get_if<Refusal>(&result)) {
    ADD_FAILURE() << refusal->phrase;
    return {};
  }
  return std::get<ScannedMessage>(result);
}

inline absl::StatusOr<std::unique_ptr<Message>> TryParse(const std::string& text) {
  return Message::Parse(Scan(text));
}

// For messages that have to be fine.
inline std::unique_ptr<Message> Parse(const std::string& text) {
  absl::StatusOr<std::unique_ptr<Message>> message = TryParse(text);
  if (!message.ok()) {
    ADD_FAILURE() << message.status();
    return nullptr;
  }
  return *std::move(message);
}

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_SOFIA_SIP_TEXT_H_
