#include "sip-gateway/core_link/grpc_stream.h"

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence/v1/gateway.grpc.pb.h"
#include "runtime/clock.h"
#include "runtime/worker.h"

namespace presence::sip {
namespace {

// A core that answers every command by its id, and ends the stream on a command 0.
class EchoCore final : public v1::GatewayService::Service {
 public:
  grpc::Status Connect(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<v1::ConnectResponse, v1::ConnectRequest>* stream) override {
    v1::ConnectRequest frame;
    while (stream->Read(&frame)) {
      v1::ConnectResponse reply;
      if (frame.has_hello()) reply.mutable_welcome()->set_core(frame.hello().gateway());
      for (const auto& command : frame.commands()) {
        if (command.command_id() == 0) return {grpc::StatusCode::RESOURCE_EXHAUSTED, "enough"};
        reply.add_replies()->set_command_id(command.command_id());
      }
      stream->Write(reply);
    }
    return grpc::Status::OK;
  }
};

// Everything of the stream happens on `loop`, so these fields need no lock but for the waiting.
class Recorder final : public FrameStreamEvents {
 public:
  void OnFrame(v1::ConnectResponse& frame) override {
    absl::MutexLock lock(&mu_);
    if (frame.has_welcome()) core_ = frame.welcome().core();
    for (const auto& reply : frame.replies()) replies_.push_back(reply.command_id());
  }
  void OnWritable() override {
    if (on_writable) on_writable();
  }
  void OnClosed(const absl::Status& why) override {
    absl::MutexLock lock(&mu_);
    closed_.push_back(why);
  }

  void AwaitReplies(size_t count) {
    const auto enough = [this, count] { return replies_.size() >= count; };
    absl::MutexLock lock(&mu_);
    ASSERT_TRUE(mu_.AwaitWithTimeout(absl::Condition(&enough), absl::Seconds(30)));
  }
  absl::Status AwaitClosed() {
    const auto is_closed = [this] { return !closed_.empty(); };
    absl::MutexLock lock(&mu_);
    if (!mu_.AwaitWithTimeout(absl::Condition(&is_closed), absl::Seconds(30))) {
      return absl::OkStatus();
    }
    return closed_[0];
  }
  std::string core() {
    absl::MutexLock lock(&mu_);
    return core_;
  }
  std::vector<uint64_t> replies() {
    absl::MutexLock lock(&mu_);
    return replies_;
  }
  size_t closings() {
    absl::MutexLock lock(&mu_);
    return closed_.size();
  }

  std::function<void()> on_writable;

 private:
  absl::Mutex mu_;
  std::string core_;
  std::vector<uint64_t> replies_;
  std::vector<absl::Status> closed_;
};

class GrpcStreamTest : public testing::Test {
 protected:
  void SetUp() override {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&core_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    address_ = "127.0.0.1:" + std::to_string(port_);
    OnLoop([this] { opener_ = std::make_unique<GrpcStreamOpener>(*loop_); });
  }
  void TearDown() override {
    OnLoop([this] {
      stream_.reset();
      // Waits on the loop's thread for gRPC, which must not need that thread.
      opener_.reset();
    });
    loop_.reset();
    if (server_ != nullptr) server_->Shutdown(absl::ToChronoTime(absl::Now()));
  }

  void OnLoop(std::function<void()> task) {
    absl::Notification done;
    loop_->Post([&] {
      task();
      done.Notify();
    });
    done.WaitForNotification();
  }
  void Open() {
    OnLoop([this] {
      stream_ = opener_->Open(address_, events_);
      v1::ConnectRequest frame;
      frame.mutable_hello()->set_gateway("edge-1");
      stream_->Write(frame);
    });
  }
  // On the loop: a frame of this one command.
  void WriteCommand(uint64_t id) {
    v1::ConnectRequest frame;
    frame.add_commands()->set_command_id(id);
    stream_->Write(frame);
    EXPECT_EQ(frame.commands_size(), 0);
  }

  SystemClock clock_;
  EchoCore core_;
  int port_ = 0;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Worker> loop_ = std::make_unique<Worker>(clock_, "loop");
  Recorder events_;
  std::unique_ptr<GrpcStreamOpener> opener_;
  std::unique_ptr<FrameStream> stream_;
};

TEST_F(GrpcStreamTest, CarriesFramesBothWaysInOrder) {
  constexpr uint64_t kFrames = 2000;
  uint64_t next = 1;
  events_.on_writable = [&] {
    while (next <= kFrames && stream_->IsWritable()) WriteCommand(next++);
  };

  Open();
  events_.AwaitReplies(kFrames);

  EXPECT_EQ(events_.core(), "edge-1");
  const std::vector<uint64_t> replies = events_.replies();
  for (uint64_t i = 0; i < kFrames; ++i) ASSERT_EQ(replies[i], i + 1);
}

TEST_F(GrpcStreamTest, TakesOneFrameAheadOfTheWireAndNoMore) {
  Open();
  OnLoop([this] {
    // The greeting may be on the wire or gone; at most two frames more fit.
    int taken = 0;
    while (taken < 100 && stream_->IsWritable()) WriteCommand(1 + static_cast<uint64_t>(taken++));
    EXPECT_GE(taken, 1);
    EXPECT_LT(taken, 100);
  });
}

TEST_F(GrpcStreamTest, SaysWhyTheCoreEndedTheStream) {
  bool is_written = false;
  events_.on_writable = [&] {
    if (!std::exchange(is_written, true)) WriteCommand(0);
  };

  Open();
  const absl::Status why = events_.AwaitClosed();

  EXPECT_EQ(why.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(why.message(), "enough");
  OnLoop([this] {
    EXPECT_FALSE(stream_->IsWritable());
    WriteCommand(1);  // into nothing
  });
}

TEST_F(GrpcStreamTest, SaysThatNobodyListens) {
  server_->Shutdown(absl::ToChronoTime(absl::Now()));

  Open();

  EXPECT_EQ(events_.AwaitClosed().code(), absl::StatusCode::kUnavailable);
}

TEST_F(GrpcStreamTest, SaysNothingAnyMoreOnceDestroyed) {
  Open();
  OnLoop([this] { stream_.reset(); });
  OnLoop([this] { opener_.reset(); });  // gRPC has let go now

  EXPECT_EQ(events_.closings(), 0u);
}

TEST_F(GrpcStreamTest, SurvivesStreamsThatAreDroppedAtAnyMoment) {
  for (int i = 0; i < 50; ++i) {
    Open();
    if (i % 3 == 0) {
      OnLoop([this] {
        if (stream_->IsWritable()) WriteCommand(7);
      });
    }
    OnLoop([this] { stream_.reset(); });
  }
}

}  // namespace
}  // namespace presence::sip
