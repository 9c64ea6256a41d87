#include "presence-core/rpc/gateway_stream.h"

#include <utility>

#include "presence-core/model/error.h"
#include "presence-core/rpc/status_map.h"

namespace presence {
namespace {

constexpr absl::Duration kLookAfterOwnership = absl::Milliseconds(500);

}  // namespace

// One stream: reads are posted to the executor, one write is outstanding at a time, and its frame
// stays untouched until OnWriteDone. The object deletes itself in OnDone, and keeps itself alive
// until the last task that was posted for it has run.
class GatewayStream final : public grpc::ServerBidiReactor<v1::ConnectRequest, v1::ConnectResponse>,
                            public GatewayEnd,
                            public std::enable_shared_from_this<GatewayStream> {
 public:
  explicit GatewayStream(GatewayService& service) : service_(service), self_(this) {
    // An answer may hold the session for a moment longer than the stream lives.
    session_ = GatewaySession::Create(service.engine_, service.clock_, service.core_name_,
                                      [weak = std::weak_ptr<GatewayStream>(self_)] {
                                        if (auto stream = weak.lock()) stream->WriteSoon();
                                      });
    StartRead(&incoming_);
  }

  void OnReadDone(bool ok) override {
    service_.executor_.Post([self = shared_from_this(), ok] { self->Take(ok); });
  }

  void OnWriteDone(bool ok) override {
    {
      absl::MutexLock lock(&mu_);
      is_writing_ = false;
      if (is_finished_) {
        Finish(last_words_);
        return;
      }
    }
    if (ok) WriteSoon();
  }

  void OnCancel() override {
    service_.executor_.Post([self = shared_from_this()] { self->End(grpc::Status::CANCELLED); });
  }

  void OnDone() override {
    service_.executor_.Post([self = shared_from_this()] {
      self->session_->Close();
      self->service_.roster_.OnGone(*self);
      self->self_.reset();  // the last reference goes with this task
    });
  }

  // Says that the core stops, in a last frame, and ends the stream behind it.
  void DrainAndEnd() override {
    session_->Drain();
    Write();
    End(Draining(absl::Seconds(1)));
  }

  void End(const absl::Status& why) override { End(ToGrpc(why)); }
  bool is_ended() const override {
    absl::MutexLock lock(&mu_);
    return is_finished_;
  }

  // Ends the stream; the first reason counts.
  void End(const grpc::Status& status) {
    {
      absl::MutexLock lock(&mu_);
      if (std::exchange(is_finished_, true)) return;
      last_words_ = status;
      // With a write under way OnWriteDone finishes: gRPC still has the frame.
      if (!is_writing_) Finish(last_words_);
    }
    session_->Close();
  }

 private:
  void Take(bool ok) {
    if (!ok) {
      End(grpc::Status::OK);
      return;
    }
    {
      absl::MutexLock lock(&mu_);
      if (is_finished_) return;
    }
    const bool is_greeting = incoming_.has_hello() && !incoming_.hello().gateway().empty();
    if (!is_greeting || !session_->gateway().empty()) return TakeFrame();
    service_.roster_.Greet(shared_from_this(), incoming_.hello(),
                           [self = shared_from_this()](const absl::Status& status) {
                             if (!status.ok()) return self->End(status);
                             self->TakeFrame();
                           });
  }

  void TakeFrame() {
    if (absl::Status status = session_->OnFrame(incoming_); !status.ok()) return End(status);
    // No operation may start after Finish, so both are decided under one lock.
    absl::MutexLock lock(&mu_);
    if (!is_finished_) StartRead(&incoming_);
  }

  // Behind what the executor has to do already: the answers to a frame and the NOTIFYs they set off
  // then leave together, in one frame, instead of each in its own.
  void WriteSoon() {
    {
      absl::MutexLock lock(&mu_);
      if (is_writing_ || is_finished_ || std::exchange(is_write_posted_, true)) return;
    }
    service_.executor_.Post([self = shared_from_this()] { self->Write(); });
  }

  void Write() {
    // A frame has answers, too, which may be true; the gateway asks for them again where it goes.
    if (absl::Status status = CheckOwner(service_.is_owner_); !status.ok()) return End(status);
    absl::MutexLock lock(&mu_);
    is_write_posted_ = false;
    if (is_writing_ || is_finished_) return;
    if (!session_->TakeFrame(outgoing_)) return;
    is_writing_ = true;
    StartWrite(&outgoing_);
  }

  GatewayService& service_;
  std::shared_ptr<GatewayStream> self_;
  std::shared_ptr<GatewaySession> session_;
  v1::ConnectRequest incoming_;

  mutable absl::Mutex mu_;  // before the session's
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  bool is_write_posted_ ABSL_GUARDED_BY(mu_) = false;
  bool is_finished_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Status last_words_ ABSL_GUARDED_BY(mu_);
  v1::ConnectResponse outgoing_;  // belongs to gRPC while is_writing_
};

grpc::ServerBidiReactor<v1::ConnectRequest, v1::ConnectResponse>* GatewayService::Connect(
    grpc::CallbackServerContext*) {
  return new GatewayStream(*this);
}

void GatewayService::WatchOwnership() {
  if (absl::Status status = CheckOwner(is_owner_); !status.ok()) {
    for (const auto& stream : roster_.streams()) stream->End(status);
  }
  executor_.PostAt(clock_.Now() + kLookAfterOwnership, [this] { WatchOwnership(); });
}

void GatewayService::Drain() {
  roster_.Close();
  for (const auto& stream : roster_.streams()) stream->DrainAndEnd();
}

}  // namespace presence
