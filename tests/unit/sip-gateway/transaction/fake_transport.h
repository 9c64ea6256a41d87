#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSACTION_FAKE_TRANSPORT_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSACTION_FAKE_TRANSPORT_H_

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sip-gateway/transport/transport.h"

namespace presence::sip {

// Remembers what was sent. Connections come about as soon as they are wanted, unless a test says
// otherwise.
class FakeTransport final : public Transport {
 public:
  struct Sent {
    NextHop hop;
    std::string bytes;
    SendTag tag;
    FlowId flow;
  };

  FakeTransport() {
    AddListener(Protocol::kUdp, "192.0.2.1:5060");
    AddListener(Protocol::kTcp, "192.0.2.1:5060");
  }

  void AddListener(Protocol protocol, std::string_view local) {
    Listener listener;
    listener.id = static_cast<ListenerId>(listeners_.size());
    listener.protocol = protocol;
    listener.local = *SocketAddress::Parse(local);
    listener.advertised_host = listener.local.ip().ToHost();
    listener.advertised_port = listener.local.port();
    listeners_.push_back(listener);
  }
  void RemoveListeners() { listeners_.clear(); }

  FlowId Send(const NextHop& hop, std::string_view bytes, SendTag tag) override {
    FlowId flow = kNoFlow;
    if (hop.protocol == Protocol::kTcp) {
      flow = open_.contains(hop.flow) ? hop.flow : next_flow_++;
      open_.insert(flow);
    }
    sent.push_back({.hop = hop, .bytes = std::string(bytes), .tag = tag, .flow = flow});
    return flow;
  }
  void Flush() override {}
  void Alias(FlowId flow, uint16_t port) override { aliases.emplace_back(flow, port); }
  bool IsOpen(FlowId flow) const override { return open_.contains(flow); }
  void Close(FlowId flow) override { open_.erase(flow); }
  absl::Span<const Listener> listeners() const override { return listeners_; }
  bool IsOwnAddress(const SocketAddress& address) const override {
    for (const Listener& listener : listeners_) {
      if (listener.local == address) return true;
    }
    return false;
  }

  // Takes and forgets what was sent.
  std::vector<Sent> TakeSent() { return std::exchange(sent, {}); }

  std::vector<Sent> sent;
  std::vector<std::pair<FlowId, uint16_t>> aliases;

 private:
  std::vector<Listener> listeners_;
  std::set<FlowId> open_;
  FlowId next_flow_ = 100;
};

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSACTION_FAKE_TRANSPORT_H_
