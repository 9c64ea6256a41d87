#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_CORE_LINK_LINK_FIXTURE_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_CORE_LINK_LINK_FIXTURE_H_

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sip-gateway/core_link/link.h"
#include "tests/unit/sip-gateway/core_link/fake_stream.h"

namespace presence::sip {

// A link between a gateway and a core, both played by the test.
class LinkTest : public testing::Test, public LinkUser {
 protected:
  LinkTest() { Build({"core-a:7460"}); }

  void Build(std::vector<std::string> addresses) {
    LinkConfig config;
    config.gateway = "edge-1";
    config.addresses = std::move(addresses);
    link_ = std::make_unique<Link>(config, clock_, random_, streams_, *this);
  }

  // Time passes in steps, each a turn of the event loop.
  void Pass(absl::Duration time) {
    const absl::Time end = clock_.Now() + time;
    Turn();
    while (clock_.Now() < end) {
      clock_.AdvanceTo(std::min(end, clock_.Now() + absl::Milliseconds(10)));
      Turn();
    }
  }
  void Turn() {
    link_->Advance(clock_.Now());
    link_->Flush();
  }
  // Until a new stream is open.
  void Reconnect() {
    const size_t before = streams_.ends.size();
    for (int i = 0; i < 1000 && streams_.ends.size() == before; ++i) {
      Pass(absl::Milliseconds(10));
    }
    ASSERT_GT(streams_.ends.size(), before);
  }
  void Connect(uint32_t credit = 4096) {
    Turn();
    streams_.last().Welcome(credit);
  }

  // A PUBLISH of this presentity; what becomes of it lands in `answers_`.
  void Submit(const std::string& name, size_t body_bytes = 0) {
    v1::GatewayCommand command;
    command.mutable_publish()->set_presentity(name);
    command.mutable_publish()->mutable_document()->set_body(std::string(body_bytes, 'x'));
    link_->Submit(std::move(command), [this, name](const v1::CommandReply& reply) {
      answers_.push_back(name + (reply.has_error()
                                     ? ":" + v1::ErrorReason_Name(static_cast<v1::ErrorReason>(
                                                 reply.error().reason()))
                                     : ":ok"));
      if (reply.has_error()) {
        EXPECT_GT(reply.error().retry_after().seconds(), 0);
      }
    });
  }
  static std::vector<std::string> Names(const FakeStreams::End& end) {
    std::vector<std::string> names;
    for (const auto& command : end.Commands()) names.push_back(command.publish().presentity());
    return names;
  }
  static v1::ConnectResponse ReplyTo(const v1::GatewayCommand& command) {
    v1::ConnectResponse frame;
    frame.add_replies()->set_command_id(command.command_id());
    frame.mutable_replies(0)->mutable_publish()->set_etag("e");
    return frame;
  }
  static v1::NotifyResult Result(const std::string& tag) {
    v1::NotifyResult result;
    result.mutable_id()->set_local_tag(tag);
    result.set_outcome(v1::NotifyResult::OUTCOME_ANSWERED);
    result.set_code(200);
    return result;
  }
  static std::vector<std::string> Tags(const std::vector<v1::NotifyResult>& results) {
    std::vector<std::string> tags;
    for (const auto& result : results) tags.push_back(result.id().local_tag());
    return tags;
  }
  static v1::NotifyInstruction Instruction(const std::string& tag, uint64_t epoch = 1) {
    v1::NotifyInstruction instruction;
    instruction.mutable_dialog()->set_local_tag(tag);
    instruction.set_cseq(1);
    instruction.set_epoch(epoch);
    return instruction;
  }
  // A frame with instructions of one resource: NAME0, NAME1 and so on.
  static v1::ConnectResponse Burst(const std::string& name, uint32_t resource, int count) {
    v1::ConnectResponse frame;
    for (int i = 0; i < count; ++i) {
      *frame.add_instructions() = Instruction(name + std::to_string(i));
      frame.mutable_instructions(i)->set_resource(resource);
    }
    return frame;
  }
  // Since the greeting.
  uint32_t CreditGiven() {
    uint32_t credit = 0;
    for (const auto& frame : streams_.last().frames) credit += frame.instruction_credit();
    return credit;
  }

  // LinkUser
  std::vector<v1::InstructionId> NotifiesInFlight() const override { return in_flight_; }
  size_t NotifiesInFlightCount() const override { return in_flight_count_; }
  void OnConnected(const std::string& address, const v1::Welcome&) override {
    events_.push_back("connected " + address);
  }
  void OnDisconnected(const std::string& address, const absl::Status&) override {
    events_.push_back("disconnected " + address);
  }
  void OnCoreLost() override { events_.push_back("lost"); }
  void OnInstruction(v1::NotifyInstruction instruction, std::string_view body) override {
    cseqs_[instruction.dialog().local_tag()].push_back(instruction.cseq());
    instructions_.push_back(instruction.dialog().local_tag() + "=" + std::string(body));
  }

  ManualClock clock_;
  SeededRandom random_{7};
  FakeStreams streams_;
  std::vector<v1::InstructionId> in_flight_;
  size_t in_flight_count_ = 0;
  std::vector<std::string> answers_;
  std::vector<std::string> events_;
  std::vector<std::string> instructions_;
  std::map<std::string, std::vector<uint32_t>> cseqs_;  // by tag
  std::unique_ptr<Link> link_;
};

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_CORE_LINK_LINK_FIXTURE_H_
