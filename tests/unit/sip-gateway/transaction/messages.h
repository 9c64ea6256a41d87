#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSACTION_MESSAGES_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSACTION_MESSAGES_H_

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "sip-gateway/sofia/message.h"
#include "sip-gateway/sofia/prescan.h"
#include "sip-gateway/transport/transport.h"

namespace presence::sip {

// A message as the network would bring it. A broken one ends the test binary: it is the test's
// mistake.
inline std::unique_ptr<Message> ParseOrDie(std::string_view bytes) {
  return Message::Parse(std::get<ScannedMessage>(PreScan(bytes))).value();
}

// A request of which a test changes what it is about.
struct RequestText {
  std::string method = "SUBSCRIBE";
  std::string uri = "sip:alice@example.com";
  std::string via = "SIP/2.0/UDP 192.0.2.9:5062;branch=z9hG4bKfirst;rport";
  std::string from_tag = "from1";
  std::string to_tag = "";
  std::string call_id = "call1";
  int cseq = 1;

  std::string Text() const {
    return method + " " + uri + " SIP/2.0\r\nVia: " + via +
           "\r\nFrom: <sip:bob@example.com>;tag=" + from_tag + "\r\nTo: <sip:alice@example.com>" +
           (to_tag.empty() ? "" : ";tag=" + to_tag) + "\r\nCall-ID: " + call_id +
           "\r\nCSeq: " + std::to_string(cseq) + " " + method +
           "\r\nMax-Forwards: 70\r\nContact: <sip:bob@192.0.2.9:5062>\r\nEvent: presence\r\n"
           "Content-Length: 0\r\n\r\n";
  }
  std::unique_ptr<Message> Parse() const { return ParseOrDie(Text()); }
};

inline Source UdpSource(std::string_view remote = "192.0.2.9:5062") {
  return {.protocol = Protocol::kUdp, .listener = 0, .remote = *SocketAddress::Parse(remote)};
}

inline Source TcpSource(FlowId flow, std::string_view remote = "192.0.2.9:40000") {
  return {.protocol = Protocol::kTcp,
          .listener = 1,
          .flow = flow,
          .remote = *SocketAddress::Parse(remote)};
}

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSACTION_MESSAGES_H_
