#include "tests/simulation/core_watches.h"

#include <fmt/format.h>

#include <utility>

#include "presence-core/model/error.h"

namespace presence::simulation {
namespace {

// As rpc/watch_stream.cc.
constexpr absl::Duration kLongestStall = absl::Seconds(30);

// An instruction makes two items at most, a target has one under way, and then come the marks.
size_t MostItems(const v1::WatchRequest& request) {
  return 2 * static_cast<size_t>(request.targets_size()) + 3;
}

}  // namespace

void CoreWatches::Stop() {
  for (auto& [id, stream] : std::exchange(streams_, {})) {
    stream.session->Close();
    if (auto end = stream.end.lock()) end->OnEnded(absl::UnavailableError("the core died"));
  }
  engine_ = nullptr;
}

CoreWatches::StreamId CoreWatches::Open(const v1::WatchRequest& request,
                                        std::weak_ptr<WatchEnd> end) {
  const StreamId id = next_++;
  Stream& stream = streams_[id];
  stream.end = std::move(end);
  stream.session = WatchSession::Create(*engine_, around_.clock, fmt::format("watch/{}", id),
                                        MostItems(request), [this, id] { Write(id); });
  const std::shared_ptr<WatchSession> session = stream.session;
  v1::WatchRequest taken = request;
  if (around_.plant == Plant::kIgnoredToken) taken.clear_resume_token();
  if (absl::Status status = session->Start(taken); !status.ok()) {
    End(id, status);
    return id;
  }
  Write(id);
  ScheduleHeartbeat(id);
  return id;
}

void CoreWatches::Write(StreamId id) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || it->second.is_writing) return;
  WatchSession& session = *it->second.session;
  if (const absl::Status owner = CheckOwner(is_owner_); !owner.ok()) {
    process_.Post([this, id, owner] { End(id, owner); });
    return;
  }
  v1::WatchResponse item;
  if (session.Take(item)) {
    it->second.is_writing = true;
    if (IsPlantedToVanish(item)) return OnWritten(id);
    if (auto end = it->second.end.lock()) end->OnItem(std::move(item));
    return;
  }
  if (session.has_items()) return;
  // Not here: the engine may be in the middle of the call that ended it.
  if (const auto ended = session.ended()) {
    process_.Post([this, id, status = *ended] { End(id, status); });
  }
}

bool CoreWatches::IsPlantedToVanish(const v1::WatchResponse& item) {
  if (around_.plant == Plant::kMissedReset) return item.has_reset();
  // Not of a snapshot, whose end would give it away.
  return around_.plant == Plant::kLostChange && item.state().cause() == v1::NOTIFY_CAUSE_PUBLISH &&
         around_.dice.Chance(30);
}

void CoreWatches::OnWritten(StreamId id) {
  process_.Post([this, id] {
    const auto it = streams_.find(id);
    if (it == streams_.end()) return;
    it->second.is_writing = false;
    it->second.session->OnWritten();
    Write(id);
  });
}

void CoreWatches::End(StreamId id, const absl::Status& why) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  if (auto end = it->second.end.lock()) end->OnEnded(why);
  Close(id);
}

void CoreWatches::Close(StreamId id) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  const std::shared_ptr<WatchSession> session = std::move(it->second.session);
  streams_.erase(it);
  session->Close();
}

void CoreWatches::ScheduleHeartbeat(StreamId id) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  process_.PostAt(around_.clock.Now() + it->second.session->heartbeat(), [this, id] {
    const auto present = streams_.find(id);
    if (present == streams_.end()) return;
    const std::shared_ptr<WatchSession> session = present->second.session;
    if (session->stalled_for() > kLongestStall) {
      return End(id, Overloaded("the stream is not read", absl::Seconds(1)));
    }
    session->OnHeartbeatDue();
    ScheduleHeartbeat(id);
  });
}

}  // namespace presence::simulation
