#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSPORT_TRANSPORT_FIXTURE_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSPORT_TRANSPORT_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "runtime/clock.h"
#include "runtime/random.h"
#include "sip-gateway/transport/event_loop.h"
#include "sip-gateway/transport/socket_transport.h"
#include "tests/unit/sip-gateway/transport/peer.h"
#include "tests/unit/sip-gateway/transport/recording_sink.h"

namespace presence::sip {

// The production transport on loopback sockets, at ports of the system's choice, with a clock that
// stands still: real time passes only while the kernel moves bytes.
class TransportFixture : public testing::Test {
 protected:
  enum Which : ListenerId { kUdp4, kTcp4, kUdp6, kTcp6 };

  void Open(TransportConfig config = {}) {
    for (const char* address : {"127.0.0.1:0", "[::1]:0"}) {
      for (const Protocol protocol : {Protocol::kUdp, Protocol::kTcp}) {
        ListenerConfig listener;
        listener.protocol = protocol;
        listener.bind = *SocketAddress::Parse(address);
        config.listeners.push_back(listener);
      }
    }
    auto opened = SocketTransport::Open(loop_, clock_, random_, config, sink_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    transport_ = *std::move(opened);
    loop_.AddTurnHook([this](absl::Time) {
      const absl::Time due = transport_->Advance(clock_.Now());
      transport_->Flush();
      return due;
    });
  }

  SocketAddress Local(Which which) const { return transport_->listeners().at(which).local; }

  // Turns the loop until `is_done`; false if that does not come within what even a loaded machine
  // needs.
  template <typename Predicate>
  bool RunUntil(Predicate is_done) {
    const absl::Time deadline = wall_.Now() + absl::Seconds(20);
    while (!is_done()) {
      if (wall_.Now() > deadline) return false;
      loop_.RunOnce(absl::Milliseconds(1));
    }
    return true;
  }
  // Everything that is on its way has come when a datagram to ourselves, sent after it, has come.
  void Settle() {
    for (int i = 0; i < 5; ++i) {
      bool is_posted = false;
      loop_.Post([&is_posted] { is_posted = true; });
      ASSERT_TRUE(RunUntil([&] { return is_posted; }));
    }
  }
  void Pass(absl::Duration time) {
    clock_.Advance(time);
    loop_.Post([] {});
    loop_.RunOnce(absl::ZeroDuration());
    Settle();
  }

  static std::string Request(const std::string& call_id, const std::string& body = "") {
    return "PUBLISH sip:alice@example.com SIP/2.0\r\n"
           "Via: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK" +
           call_id +
           "\r\n"
           "From: <sip:alice@example.com>;tag=1\r\nTo: <sip:alice@example.com>\r\n"
           "Call-ID: " +
           call_id +
           "\r\nCSeq: 1 PUBLISH\r\nEvent: presence\r\n"
           "Content-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  // A connected peer and the flow it has become here, shown by a first request.
  std::pair<Peer, FlowId> Connect() {
    Peer peer = Peer::ConnectedTo(Local(kTcp4));
    const size_t before = sink_.messages.size();
    peer.Write(Request("hello"));
    EXPECT_TRUE(RunUntil([&] { return sink_.messages.size() > before; }));
    return {std::move(peer), sink_.messages.back().source.flow};
  }
  NextHop To(Protocol protocol, const SocketAddress& remote) {
    return {.protocol = protocol, .remote = remote};
  }
  NextHop OnFlow(FlowId flow) {
    return {.protocol = Protocol::kTcp, .flow = flow, .may_connect = false};
  }

  ManualClock clock_;
  SystemClock wall_;
  SeededRandom random_{1};
  EventLoop loop_{clock_};
  RecordingSink sink_;
  std::unique_ptr<SocketTransport> transport_;
};

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSPORT_TRANSPORT_FIXTURE_H_
