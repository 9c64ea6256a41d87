#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSPORT_RECORDING_SINK_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSPORT_RECORDING_SINK_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "sip-gateway/transport/transport.h"

namespace presence::sip {

// Writes down what the network brings, and answers from inside the call where a test wants it.
class RecordingSink final : public MessageSink {
 public:
  struct Received {
    Source source;
    std::string bytes;
  };
  struct Refused {
    Source source;
    int status;
    bool is_answerable;
  };

  void OnMessage(const Source& source, const ScannedMessage& message) override {
    messages.push_back({.source = source, .bytes = std::string(message.bytes)});
    if (on_message) on_message(source);
  }
  void OnRefused(const Source& source, const Refusal& refusal) override {
    refused.push_back({.source = source,
                       .status = refusal.status,
                       .is_answerable = refusal.answerable.has_value()});
    if (on_refused) on_refused(source);
  }
  void OnFlowClosed(FlowId flow, SendFailure why) override { closed.emplace_back(flow, why); }
  void OnSendFailed(SendTag tag, SendFailure why) override { failed.emplace_back(tag, why); }
  void OnIcmpError(const SocketAddress& remote, std::string_view quoted, SendFailure why) override {
    icmp_errors.push_back({remote, std::string(quoted), why});
  }

  struct IcmpError {
    SocketAddress remote;
    std::string quoted;
    SendFailure why;
  };

  std::vector<Received> messages;
  std::vector<Refused> refused;
  std::vector<std::pair<FlowId, SendFailure>> closed;
  std::vector<std::pair<SendTag, SendFailure>> failed;
  std::vector<IcmpError> icmp_errors;
  std::function<void(const Source&)> on_message;
  std::function<void(const Source&)> on_refused;
};

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSPORT_RECORDING_SINK_H_
