#include "cli/connection/watch_call.h"

#include <chrono>
#include <utility>

namespace presence::cli {

WatchCall::WatchCall(v1::PresenceService::StubInterface& stub, v1::WatchRequest request)
    : request_(std::move(request)) {
  stub.async()->Watch(&context_, &request_, this);
  // Next starts reads from outside of reactions; without the hold gRPC could end the call between
  // two of them and the next read would touch a call that is gone. The first failed read gives the
  // hold back.
  AddHold();
  StartRead(&incoming_);
  StartCall();
}

WatchCall::~WatchCall() {
  context_.TryCancel();
  std::unique_lock lock(mu_);
  is_abandoned_ = true;
  const bool is_reading = !std::exchange(has_item_, false);
  if (!is_reading) {
    lock.unlock();
    StartRead(&incoming_);
    lock.lock();
  }
  changed_.wait(lock, [this] { return ended_.has_value(); });
}

WatchCall::Item WatchCall::Next(absl::Duration timeout, const std::stop_token& interrupted) {
  std::unique_lock lock(mu_);
  const bool is_ready = changed_.wait_for(lock, interrupted, absl::ToChronoNanoseconds(timeout),
                                          [this] { return has_item_ || ended_.has_value(); });
  if (has_item_) {
    has_item_ = false;
    v1::WatchResponse item = std::move(incoming_);
    incoming_.Clear();
    lock.unlock();
    StartRead(&incoming_);
    return item;
  }
  if (is_ready) return *ended_;
  if (interrupted.stop_requested()) return Interrupted{};
  return Silence{};
}

void WatchCall::OnReadDone(bool ok) {
  if (!ok) {
    // The end of the stream; OnDone follows with its status.
    RemoveHold();
    return;
  }
  std::unique_lock lock(mu_);
  if (is_abandoned_) {
    // Came while being cancelled; only a failed read leads to the end.
    lock.unlock();
    StartRead(&incoming_);
    return;
  }
  has_item_ = true;
  changed_.notify_all();
}

void WatchCall::OnDone(const grpc::Status& status) {
  // Notified under the lock: once the destructor sees the end, this object is gone.
  const std::lock_guard lock(mu_);
  ended_ = status;
  changed_.notify_all();
}

}  // namespace presence::cli
