#include "presence-core/rpc/gateway_stream.h"

#include <algorithm>
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
      const bool is_gone = self->service_.Unregister(*self);
      if (is_gone && self->has_claimed_) self->Leave();
      self->self_.reset();  // the last reference goes with this task
    });
  }

  // Of the gateway, once it has claimed it.
  const std::string& group() const { return group_; }

  // Says that the core stops, in a last frame, and ends the stream behind it.
  void DrainAndEnd() {
    session_->Drain();
    Write();
    End(ToGrpc(Draining(absl::Seconds(1))));
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
    if (session_->gateway().empty() && is_greeting &&
        !service_.Register(shared_from_this(), incoming_.hello())) {
      End(ToGrpc(Draining(absl::Seconds(1))));
      return;
    }
    if (is_greeting && service_.claims_.is_needed() && !has_claimed_) {
      has_claimed_ = true;
      Claim();
    } else {
      TakeFrame();
    }
  }

  void TakeFrame() {
    if (absl::Status status = session_->OnFrame(incoming_); !status.ok()) {
      End(ToGrpc(status));
      return;
    }
    // No operation may start after Finish, so both are decided under one lock.
    absl::MutexLock lock(&mu_);
    if (!is_finished_) StartRead(&incoming_);
  }

  // Of the gateway that greets; its frame is taken when its group is this core's.
  void Claim() {
    const v1::Hello& hello = incoming_.hello();
    gateway_ = hello.gateway();
    group_ = hello.group().empty() ? hello.gateway() : hello.group();
    service_.claims_.claim(group_, gateway_, [self = shared_from_this()](auto claimed) {
      self->service_.executor_.Post(
          [self, claimed = std::move(claimed)] { self->OnClaimed(claimed); });
    });
  }

  void OnClaimed(const absl::StatusOr<uint64_t>& fence) {
    if (!fence.ok()) {
      End(ToGrpc(fence.status()));
      return;
    }
    {
      // It left while it was claimed, and Leave() has been or will be asked for behind that.
      absl::MutexLock lock(&mu_);
      if (is_finished_) return;
    }
    service_.engine_.TakeGroup(group_, *fence);
    TakeFrame();
  }

  void Leave() {
    if (!service_.HasOther(*this)) service_.engine_.LeaveGroup(group_);
    service_.claims_.leave(group_, gateway_);
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
    if (absl::Status status = CheckOwner(service_.is_owner_); !status.ok()) {
      End(ToGrpc(status));
      return;
    }
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
  // The executor's only.
  bool has_claimed_ = false;
  std::string group_;
  std::string gateway_;

  absl::Mutex mu_;  // before the session's
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

bool GatewayService::Register(std::shared_ptr<GatewayStream> stream, const v1::Hello& hello) {
  std::shared_ptr<GatewayStream> older;
  {
    absl::MutexLock lock(&mu_);
    if (is_draining_) return false;
    auto it = streams_.find(hello.gateway());
    if (it != streams_.end()) {
      if (it->second.incarnation == hello.incarnation() &&
          it->second.stream_number > hello.stream_number()) {
        return false;
      }
      older = it->second.stream;
    }
    streams_[hello.gateway()] = {std::move(stream), hello.incarnation(), hello.stream_number()};
  }
  if (older != nullptr) older->End(ToGrpc(Draining(absl::ZeroDuration())));
  return true;
}

bool GatewayService::Unregister(const GatewayStream& stream) {
  absl::MutexLock lock(&mu_);
  for (auto it = streams_.begin(); it != streams_.end(); ++it) {
    if (it->second.stream.get() != &stream) continue;
    streams_.erase(it);
    return true;
  }
  return false;
}

bool GatewayService::HasOther(const GatewayStream& stream) const {
  absl::MutexLock lock(&mu_);
  return std::any_of(streams_.begin(), streams_.end(), [&](const auto& connected) {
    return connected.second.stream.get() != &stream &&
           connected.second.stream->group() == stream.group();
  });
}

void GatewayService::WatchOwnership() {
  if (absl::Status status = CheckOwner(is_owner_); !status.ok()) {
    std::vector<std::shared_ptr<GatewayStream>> streams;
    {
      absl::MutexLock lock(&mu_);
      for (auto& [gateway, connected] : streams_) streams.push_back(connected.stream);
    }
    for (auto& stream : streams) stream->End(ToGrpc(status));
  }
  executor_.PostAt(clock_.Now() + kLookAfterOwnership, [this] { WatchOwnership(); });
}

void GatewayService::Drain() {
  std::vector<std::shared_ptr<GatewayStream>> streams;
  {
    absl::MutexLock lock(&mu_);
    is_draining_ = true;
    for (auto& [gateway, connected] : streams_) streams.push_back(connected.stream);
  }
  for (auto& stream : streams) stream->DrainAndEnd();
}

size_t GatewayService::connected() const {
  absl::MutexLock lock(&mu_);
  return streams_.size();
}

}  // namespace presence
