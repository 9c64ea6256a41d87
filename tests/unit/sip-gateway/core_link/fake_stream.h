#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_CORE_LINK_FAKE_STREAM_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_CORE_LINK_FAKE_STREAM_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sip-gateway/core_link/frame_stream.h"

namespace presence::sip {

// Streams without a network: a test is the core at the other end.
class FakeStreams final : public FrameStreamOpener {
 public:
  // One stream as the core sees it.
  struct End {
    std::string address;
    FrameStreamEvents* events = nullptr;  // null once the gateway has let go of it
    std::vector<v1::ConnectRequest> frames;
    bool is_writable = true;

    void Deliver(v1::ConnectResponse frame) {
      ASSERT_NE(events, nullptr);
      events->OnFrame(frame);
    }
    void BecomeWritable() {
      is_writable = true;
      events->OnWritable();
    }
    void Close(const absl::Status& why = absl::UnavailableError("gone")) {
      ASSERT_NE(events, nullptr);
      std::exchange(events, nullptr)->OnClosed(why);
    }
    // A greeting with this much command credit.
    void Welcome(uint32_t credit = 4096, uint64_t epoch = 1, const std::string& core = "core-1") {
      v1::ConnectResponse frame;
      frame.mutable_welcome()->set_core(core);
      frame.mutable_welcome()->set_epoch(epoch);
      frame.mutable_welcome()->set_command_credit(credit);
      frame.mutable_welcome()->add_events("presence");
      frame.mutable_welcome()->add_events("presence.winfo");
      frame.mutable_welcome()->add_accept("application/pidf+xml");
      Deliver(std::move(frame));
    }
    // All commands of all frames, in order.
    std::vector<v1::GatewayCommand> Commands() const {
      std::vector<v1::GatewayCommand> commands;
      for (const auto& frame : frames) {
        commands.insert(commands.end(), frame.commands().begin(), frame.commands().end());
      }
      return commands;
    }
    std::vector<v1::NotifyResult> Results() const {
      std::vector<v1::NotifyResult> results;
      for (const auto& frame : frames) {
        results.insert(results.end(), frame.results().begin(), frame.results().end());
      }
      return results;
    }
  };

  std::unique_ptr<FrameStream> Open(const std::string& address,
                                    FrameStreamEvents& events) override {
    ends.push_back(std::make_shared<End>());
    ends.back()->address = address;
    ends.back()->events = &events;
    return std::make_unique<Stream>(ends.back());
  }

  End& last() { return *ends.back(); }

  std::vector<std::shared_ptr<End>> ends;

 private:
  class Stream final : public FrameStream {
   public:
    explicit Stream(std::shared_ptr<End> end) : end_(std::move(end)) {}
    ~Stream() override { end_->events = nullptr; }
    bool IsWritable() const override { return end_->is_writable; }
    void Write(v1::ConnectRequest& frame) override {
      EXPECT_TRUE(end_->is_writable);
      end_->frames.push_back(frame);
      frame.Clear();
    }

   private:
    const std::shared_ptr<End> end_;
  };
};

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_CORE_LINK_FAKE_STREAM_H_
