#include "presence-core/rpc/gateway_stream.h"

#include <utility>

#include "presence-core/model/error.h"
#include "presence-core/rpc/status_map.h"

namespace presence {

// One stream: reads are posted to the executor, one write is outstanding at a time, and its frame
// stays untouched until OnWriteDone. The object deletes itself in OnDone, and keeps itself alive
// until the last task that was posted for it has run.
class GatewayStream final
    : public grpc::ServerBidiReactor<v1::ConnectRequest, v1::ConnectResponse> {
 public:
  explicit GatewayStream(GatewayService& service) : service_(service), self_(this) {
    // An answer may hold the session for a moment longer than the stream lives.
    session_ = GatewaySession::Create(service.engine_, service.clock_, service.core_name_,
                                      [weak = std::weak_ptr<GatewayStream>(self_)] {
                                        if (auto stream = weak.lock()) stream->Write();
                                      });
    StartRead(&incoming_);
  }

  void OnReadDone(bool ok) override {
    service_.executor_.Post([self = self_, ok] { self->Take(ok); });
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
    if (ok) Write();
  }

  void OnCancel() override {
    service_.executor_.Post([self = self_] { self->End(grpc::Status::CANCELLED); });
  }

  void OnDone() override {
    service_.executor_.Post([self = self_] {
      self->session_->Close();
      self->service_.Unregister(*self);
      self->self_.reset();  // the last reference goes with this task
    });
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

  GatewaySession& session() { return *session_; }

 private:
  void Take(bool ok) {
    if (!ok) {
      End(grpc::Status::OK);
      return;
    }
    const bool is_first = session_->gateway().empty();
    absl::Status status = session_->OnFrame(incoming_);
    if (status.ok() && is_first && !service_.Register(*this, *session_)) {
      status = Draining(absl::Seconds(1));
    }
    if (!status.ok()) {
      End(ToGrpc(status));
      return;
    }
    // No operation may start after Finish, so both are decided under one lock.
    absl::MutexLock lock(&mu_);
    if (!is_finished_) StartRead(&incoming_);
  }

  void Write() {
    absl::MutexLock lock(&mu_);
    if (is_writing_ || is_finished_) return;
    if (!session_->TakeFrame(outgoing_)) return;
    is_writing_ = true;
    StartWrite(&outgoing_);
  }

  GatewayService& service_;
  std::shared_ptr<GatewayStream> self_;
  std::shared_ptr<GatewaySession> session_;
  v1::ConnectRequest incoming_;

  absl::Mutex mu_;  // before the session's
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  bool is_finished_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Status last_words_ ABSL_GUARDED_BY(mu_);
  v1::ConnectResponse outgoing_;  // belongs to gRPC while is_writing_
};

grpc::ServerBidiReactor<v1::ConnectRequest, v1::ConnectResponse>* GatewayService::Connect(
    grpc::CallbackServerContext*) {
  return new GatewayStream(*this);
}

bool GatewayService::Register(GatewayStream& stream, const GatewaySession& session) {
  GatewayStream* older = nullptr;
  {
    absl::MutexLock lock(&mu_);
    if (is_draining_) return false;
    GatewayStream*& slot = streams_[session.gateway()];
    if (slot != nullptr) {
      const GatewaySession& other = slot->session();
      if (other.incarnation() == session.incarnation() &&
          other.stream_number() > session.stream_number()) {
        return false;
      }
      older = slot;
    }
    slot = &stream;
    // Under mu_: Unregister waits for it, so the older stream cannot go away in between.
    if (older != nullptr) older->End(ToGrpc(Draining(absl::ZeroDuration())));
  }
  return true;
}

void GatewayService::Unregister(GatewayStream& stream) {
  absl::MutexLock lock(&mu_);
  auto it = streams_.find(stream.session().gateway());
  if (it != streams_.end() && it->second == &stream) streams_.erase(it);
}

void GatewayService::Drain() {
  absl::MutexLock lock(&mu_);
  is_draining_ = true;
  for (auto& [gateway, stream] : streams_) {
    stream->session().Drain();
    stream->End(ToGrpc(Draining(absl::Seconds(1))));
  }
}

size_t GatewayService::connected() const {
  absl::MutexLock lock(&mu_);
  return streams_.size();
}

}  // namespace presence
