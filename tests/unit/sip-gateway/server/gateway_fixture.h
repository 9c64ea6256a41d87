#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_SERVER_GATEWAY_FIXTURE_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_SERVER_GATEWAY_FIXTURE_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "sip-gateway/locating/static_locator.h"
#include "sip-gateway/server/gateway.h"
#include "tests/unit/sip-gateway/core_link/fake_stream.h"
#include "tests/unit/sip-gateway/sofia/sip_text.h"
#include "tests/unit/sip-gateway/transaction/fake_transport.h"

namespace presence::sip {

// A whole gateway between a phone at 192.0.2.1:5070 and a core, both played by the test.
class GatewayTest : public testing::Test {
 protected:
  GatewayTest() { Build({}); }

  void Build(GatewaySettings settings) {
    gateway_.reset();
    settings.link.gateway = "edge-1";
    settings.link.addresses = {"core:7460"};
    settings.product = "sip-gateway/test";
    gateway_ = std::make_unique<Gateway>(std::move(settings), clock_, random_, transport_, locator_,
                                         streams_);
  }
  void Connect() {
    Turn();
    core().Welcome();
    Turn();
  }
  void Turn() { gateway_->Advance(clock_.Now()); }
  void Pass(absl::Duration time) {
    const absl::Time end = clock_.Now() + time;
    while (clock_.Now() < end) {
      clock_.Advance(absl::Milliseconds(50));
      Turn();
    }
  }
  FakeStreams::End& core() { return streams_.last(); }

  Source PhoneAt(std::string_view remote = "192.0.2.1:5070") {
    return {.protocol = Protocol::kUdp,
            .listener = 0,
            .remote = *SocketAddress::Parse(remote),
            .arrived = clock_.Now()};
  }
  // As the transport hands it in.
  void Receive(const std::string& bytes, const Source& source) {
    ScanResult scanned = PreScan(bytes);
    if (const auto* message = std::get_if<ScannedMessage>(&scanned)) {
      gateway_->OnMessage(source, *message);
    } else if (const auto* refusal = std::get_if<Refusal>(&scanned)) {
      gateway_->OnRefused(source, *refusal);
    }
    Turn();
  }
  void Receive(const std::string& bytes) { Receive(bytes, PhoneAt()); }

  // What was sent since the last call; exactly one message is expected.
  std::unique_ptr<Message> Sent() {
    const auto sent = transport_.TakeSent();
    EXPECT_THAT(sent, testing::SizeIs(1));
    return sent.empty() ? nullptr : Parse(sent[0].bytes);
  }
  int SentStatus() {
    const auto message = Sent();
    return message == nullptr ? 0 : message->status();
  }

  static RequestText Publish(const std::string& branch = "1") {
    RequestText text;
    text.Method("PUBLISH").With("Event: presence\nContent-Type: application/pidf+xml\n").body =
        "<p/>";
    text.via = "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK" + branch + ";rport\n";
    text.call_id = "Call-ID: publish-" + branch + "\n";
    return text;
  }
  static RequestText Subscribe(const std::string& branch = "1") {
    RequestText text;
    text.Method("SUBSCRIBE").With("Event: presence\nContact: <sip:bob@192.0.2.1:5070>\n");
    text.via = "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK" + branch + ";rport\n";
    text.call_id = "Call-ID: subscribe-" + branch + "\n";
    return text;
  }
  v1::ConnectResponse Published() {
    v1::ConnectResponse frame;
    v1::CommandReply& reply = *frame.add_replies();
    reply.set_command_id(core().Commands().back().command_id());
    reply.mutable_publish()->set_etag("etag-1");
    reply.mutable_publish()->mutable_expiry()->set_seconds(1800);
    return frame;
  }
  v1::ConnectResponse Subscribed() {
    v1::ConnectResponse frame;
    v1::CommandReply& reply = *frame.add_replies();
    reply.set_command_id(core().Commands().back().command_id());
    reply.mutable_subscribe()->set_local_tag("ours");
    reply.mutable_subscribe()->mutable_expiry()->set_seconds(600);
    return frame;
  }
  v1::ConnectResponse Refused(v1::ErrorReason reason) {
    v1::ConnectResponse frame;
    v1::CommandReply& reply = *frame.add_replies();
    reply.set_command_id(core().Commands().back().command_id());
    reply.mutable_error()->set_reason(reason);
    return frame;
  }
  static v1::ConnectResponse Instructed(uint32_t cseq = 1) {
    v1::ConnectResponse frame;
    frame.add_bodies("<p/>");
    v1::NotifyInstruction& instruction = *frame.add_instructions();
    v1::Dialog& dialog = *instruction.mutable_dialog();
    dialog.set_call_id("subscribe-1");
    dialog.set_local_tag("ours");
    dialog.set_remote_tag("1928301774");
    dialog.set_local_uri("sip:alice@example.com");
    dialog.set_remote_uri("sip:alice@example.com");
    dialog.set_remote_target("sip:bob@192.0.2.1:5070");
    dialog.set_local_contact("sip:192.0.2.1:5060");
    instruction.set_cseq(cseq);
    instruction.set_epoch(1);
    instruction.set_event("presence");
    instruction.set_state(v1::SUBSCRIPTION_STATE_ACTIVE);
    instruction.mutable_expiry()->set_seconds(600);
    instruction.set_content_type("application/pidf+xml");
    instruction.set_body(1);
    return frame;
  }

  ManualClock clock_;
  SeededRandom random_{5};
  // The gateway's addresses are elsewhere than the phone's; FakeTransport listens on
  // 192.0.2.1:5060.
  FakeTransport transport_;
  StaticLocator locator_{clock_};
  FakeStreams streams_;
  std::unique_ptr<Gateway> gateway_;
};

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_SERVER_GATEWAY_FIXTURE_H_
