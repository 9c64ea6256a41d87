#include "presence-core/rpc/watch_stream.h"

#include <utility>

#include "presence-core/model/error.h"
#include "presence-core/rpc/status_map.h"
#include "presence-core/rpc/watch_session.h"

namespace presence {
namespace {

// A reader that takes nothing for this long is gone, or holds the newest state hostage.
constexpr absl::Duration kLongestStall = absl::Seconds(30);

}  // namespace

// One write is outstanding at a time; its message stays untouched until OnWriteDone. Keeps itself
// alive until gRPC is done with it and the last task posted for it has run.
class WatchStream final : public grpc::ServerWriteReactor<v1::WatchResponse>,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  explicit WatchStream(WatchStreams& streams) : streams_(streams), self_(this) {
    session_ = WatchSession::Create(streams.engine_, streams.clock_,
                                    "watch/" + RandomHex(streams.random_, 64), streams.max_queue_,
                                    [weak = std::weak_ptr<WatchStream>(self_)] {
                                      if (auto stream = weak.lock()) stream->Write();
                                    });
  }

  void Start(const v1::WatchRequest& request) {
    absl::Status status = session_->Start(request);
    if (!status.ok()) {
      End(status);
      return;
    }
    Write();
    ScheduleHeartbeat();
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
    if (!ok) return;  // OnCancel follows
    // The report may set off the next state at once: not on a thread of gRPC.
    streams_.executor_.Post([self = shared_from_this()] {
      self->session_->OnWritten();
      self->Write();
    });
  }

  void OnCancel() override {
    streams_.executor_.Post([self = shared_from_this()] { self->End(absl::CancelledError("")); });
  }

  void OnDone() override {
    streams_.executor_.Post([self = shared_from_this()] {
      self->session_->Close();
      {
        absl::MutexLock lock(&self->streams_.mu_);
        self->streams_.streams_.erase(self);
      }
      self->self_.reset();
    });
  }

  // Ends the stream; the first reason counts.
  void End(const absl::Status& status) {
    {
      absl::MutexLock lock(&mu_);
      if (std::exchange(is_finished_, true)) return;
      last_words_ = ToGrpc(status);
      if (!is_writing_) Finish(last_words_);
    }
    session_->Close();
  }

 private:
  void Write() {
    std::optional<absl::Status> ended;
    {
      absl::MutexLock lock(&mu_);
      if (is_writing_ || is_finished_) return;
      const absl::Status owner = CheckOwner(streams_.is_owner_);
      if (!owner.ok()) {
        ended = owner;
      } else if (session_->Take(outgoing_)) {
        is_writing_ = true;
        StartWrite(&outgoing_);
        return;
      }
      if (owner.ok() && !session_->has_items()) ended = session_->ended();
    }
    // Not here: the engine may be in the middle of the call that ended it.
    if (ended.has_value()) {
      streams_.executor_.Post([self = shared_from_this(), status = *ended] { self->End(status); });
    }
  }

  void ScheduleHeartbeat() {
    std::weak_ptr<WatchStream> weak = weak_from_this();
    streams_.executor_.PostAt(streams_.clock_.Now() + session_->heartbeat(), [weak] {
      auto stream = weak.lock();
      if (stream == nullptr) return;
      if (stream->session_->stalled_for() > kLongestStall) {
        stream->End(Overloaded("the stream is not read", absl::Seconds(1)));
        return;
      }
      stream->session_->OnHeartbeatDue();
      stream->ScheduleHeartbeat();
    });
  }

  WatchStreams& streams_;
  std::shared_ptr<WatchStream> self_;
  std::shared_ptr<WatchSession> session_;

  absl::Mutex mu_;  // before the session's
  bool is_writing_ ABSL_GUARDED_BY(mu_) = false;
  bool is_finished_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Status last_words_ ABSL_GUARDED_BY(mu_);
  v1::WatchResponse outgoing_;  // belongs to gRPC while is_writing_
};

grpc::ServerWriteReactor<v1::WatchResponse>* WatchStreams::Start(const v1::WatchRequest& request) {
  auto* stream = new WatchStream(*this);
  bool is_draining = false;
  {
    absl::MutexLock lock(&mu_);
    streams_.insert(stream->shared_from_this());
    is_draining = is_draining_;
  }
  if (is_draining) {
    stream->End(Draining(absl::Seconds(1)));
  } else {
    stream->Start(request);
  }
  return stream;
}

void WatchStreams::Drain() {
  std::set<std::shared_ptr<WatchStream>> streams;
  {
    absl::MutexLock lock(&mu_);
    is_draining_ = true;
    streams = streams_;
  }
  for (const auto& stream : streams) stream->End(Draining(absl::Seconds(1)));
}

}  // namespace presence
