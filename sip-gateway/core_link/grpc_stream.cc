#include "sip-gateway/core_link/grpc_stream.h"

#include <grpcpp/grpcpp.h>

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "presence/v1/gateway.grpc.pb.h"

namespace presence::sip {

// Counts the calls that gRPC has not finished with.
class GrpcStreamOpener::OpenCalls {
 public:
  void Enter() {
    absl::MutexLock lock(&mu_);
    ++count_;
  }
  void Leave() {
    absl::MutexLock lock(&mu_);
    --count_;
  }
  void AwaitNone() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(
        +[](int* count) { return *count == 0; }, &count_));
  }

 private:
  absl::Mutex mu_;
  int count_ ABSL_GUARDED_BY(mu_) = 0;
};

namespace {

absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// Frames read and not yet handed over; beyond that we stop reading, and HTTP/2 makes the core wait.
// The loop takes all there are in a turn, so it is full only when the loop is slow.
constexpr size_t kMaxInbox = 16;

// One call of Connect. gRPC owns it until OnDone(), the stream until it is destroyed.
//
// Reads and writes started outside of a reaction need a hold, or OnDone() could come between the
// decision and the start. It is given back once, under `mu_`, as soon as a read or write fails or
// the stream is gone; after that nothing is started any more.
class Call final : public grpc::ClientBidiReactor<v1::ConnectRequest, v1::ConnectResponse>,
                   public std::enable_shared_from_this<Call> {
 public:
  // `left` is run when gRPC has finished, from whatever thread.
  Call(Executor& loop, std::shared_ptr<grpc::Channel> channel, FrameStreamEvents& events,
       absl::AnyInvocable<void()> left)
      : loop_(loop),
        channel_(std::move(channel)),
        stub_(v1::GatewayService::NewStub(channel_)),
        left_(std::move(left)),
        events_(&events) {}

  void Start() {
    self_ = shared_from_this();
    stub_->async()->Connect(&context_, this);  // binds the stream that the next lines need
    AddHold();
    StartRead(incoming_.get());
    StartCall();
  }

  // ---- on the loop's thread ----

  void Abandon() {
    events_ = nullptr;
    {
      absl::MutexLock lock(&mu_);
      ReleaseHold();
    }
    context_.TryCancel();
  }

  bool IsWritable() {
    absl::MutexLock lock(&mu_);
    return has_hold_ && !is_next_full_;
  }

  void Write(v1::ConnectRequest& frame) {
    absl::MutexLock lock(&mu_);
    if (has_hold_) {
      // Swapped, not moved: the buffer that comes back keeps its memory for the next frame.
      next_.Swap(&frame);
      is_next_full_ = true;
      if (!is_writing_) WriteNext();
    }
    frame.Clear();
  }

  // ---- on threads of gRPC's ----

  void OnReadDone(bool ok) override {
    absl::MutexLock lock(&mu_);
    if (!ok) {
      ReleaseHold();
      return;
    }
    inbox_.push_back(std::move(incoming_));
    incoming_ = std::make_unique<v1::ConnectResponse>();
    if (inbox_.size() < kMaxInbox) {
      StartRead(incoming_.get());
    } else {
      is_read_paused_ = true;
    }
    PostOnce();
  }

  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mu_);
    is_writing_ = false;
    if (!ok) {
      ReleaseHold();
      return;
    }
    if (is_next_full_) WriteNext();
    has_become_writable_ = true;
    PostOnce();
  }

  void OnDone(const grpc::Status& status) override {
    absl::AnyInvocable<void()> left = std::move(left_);
    {
      absl::MutexLock lock(&mu_);
      is_done_ = true;
      status_ = ToAbsl(status);
      PostOnce();
    }
    // The channel must not be torn down on a thread of gRPC's, which its teardown may have to wait
    // for: the last share goes on the loop, or with what the loop has not run.
    loop_.Post([self = std::move(self_)] {});
    left();
  }

 private:
  void ReleaseHold() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (!std::exchange(has_hold_, false)) return;
    RemoveHold();
  }

  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    on_wire_.Swap(&next_);
    is_next_full_ = false;
    is_writing_ = true;
    // The reactions run after this call has returned, never inside it, so the lock may be held.
    StartWrite(&on_wire_);
  }

  void PostOnce() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (std::exchange(is_posted_, true)) return;
    loop_.Post([self = shared_from_this()] { self->EmptyBox(); });
  }

  // On the loop's thread. `events_` may turn null in any of its calls.
  void EmptyBox() {
    std::vector<std::unique_ptr<v1::ConnectResponse>> frames;
    bool has_become_writable = false;
    bool is_done = false;
    absl::Status status;
    {
      absl::MutexLock lock(&mu_);
      is_posted_ = false;
      frames.swap(inbox_);
      has_become_writable = std::exchange(has_become_writable_, false);
      is_done = is_done_;
      status = status_;
      if (has_hold_ && std::exchange(is_read_paused_, false)) StartRead(incoming_.get());
    }
    for (auto& frame : frames) {
      if (events_ != nullptr) events_->OnFrame(*frame);
    }
    if (has_become_writable && events_ != nullptr) events_->OnWritable();
    if (is_done && events_ != nullptr) std::exchange(events_, nullptr)->OnClosed(status);
  }

  Executor& loop_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::GatewayService::Stub> stub_;
  absl::AnyInvocable<void()> left_;
  grpc::ClientContext context_;
  std::shared_ptr<Call> self_;  // gRPC's share, from Start() to OnDone()

  FrameStreamEvents* events_;  // the loop's thread only; null once nobody wants events

  absl::Mutex mu_;  // no other lock of ours is taken while it is held
  std::unique_ptr<v1::ConnectResponse> incoming_ = std::make_unique<v1::ConnectResponse>();
  v1::ConnectRequest next_ ABSL_GUARDED_BY(mu_);
  v1::ConnectRequest on_wire_ ABSL_GUARDED_BY(mu_);
  bool has_hold_ ABSL_GUARDED_BY(mu_) = true;
  bool is_next_full_ ABSL_GUARDED_BY(mu_) = false;
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  bool is_read_paused_ ABSL_GUARDED_BY(mu_) = false;
  bool is_posted_ ABSL_GUARDED_BY(mu_) = false;
  bool has_become_writable_ ABSL_GUARDED_BY(mu_) = false;
  bool is_done_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mu_);
  std::vector<std::unique_ptr<v1::ConnectResponse>> inbox_ ABSL_GUARDED_BY(mu_);
};

class GrpcStream final : public FrameStream {
 public:
  explicit GrpcStream(std::shared_ptr<Call> call) : call_(std::move(call)) {}
  ~GrpcStream() override { call_->Abandon(); }

  bool IsWritable() const override { return call_->IsWritable(); }
  void Write(v1::ConnectRequest& frame) override { call_->Write(frame); }

 private:
  const std::shared_ptr<Call> call_;
};

grpc::ChannelArguments ArgumentsOf(const GrpcStreamConfig& config) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
                   static_cast<int>(absl::ToInt64Milliseconds(config.keepalive_time)));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                   static_cast<int>(absl::ToInt64Milliseconds(config.keepalive_timeout)));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(config.max_message_bytes);
  arguments.SetMaxSendMessageSize(config.max_message_bytes);
  return arguments;
}

}  // namespace

GrpcStreamOpener::GrpcStreamOpener(Executor& loop, const GrpcStreamConfig& config)
    : loop_(loop), config_(config), open_calls_(std::make_shared<OpenCalls>()) {}

GrpcStreamOpener::~GrpcStreamOpener() { open_calls_->AwaitNone(); }

std::unique_ptr<FrameStream> GrpcStreamOpener::Open(const std::string& address,
                                                    FrameStreamEvents& events) {
  auto channel =
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), ArgumentsOf(config_));
  open_calls_->Enter();
  auto call = std::make_shared<Call>(loop_, std::move(channel), events,
                                     [calls = open_calls_] { calls->Leave(); });
  call->Start();
  return std::make_unique<GrpcStream>(std::move(call));
}

}  // namespace presence::sip
