#ifndef PRESENCE_TESTS_SIMULATION_CORE_WATCHES_H_
#define PRESENCE_TESTS_SIMULATION_CORE_WATCHES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "presence-core/engine/engine.h"
#include "presence-core/rpc/ownership.h"
#include "presence-core/rpc/watch_session.h"
#include "tests/simulation/surroundings.h"

namespace presence::simulation {

// A program's end of one Watch stream, as the core's machine sees it.
class WatchEnd {
 public:
  virtual ~WatchEnd() = default;
  // An item has left the core; it says OnWritten when the next may.
  virtual void OnItem(v1::WatchResponse item) = 0;
  // The core has ended the stream, after what it has sent.
  virtual void OnEnded(const absl::Status& why) = 0;
};

// The Watch streams of one core process: does with WatchSession what rpc/watch_stream.cc does over
// gRPC.
class CoreWatches {
 public:
  using StreamId = uint64_t;

  CoreWatches(Surroundings& surroundings, ProcessExecutor& process, std::function<bool()> is_owner)
      : around_(surroundings), process_(process), is_owner_(std::move(is_owner)) {}

  void Start(Engine& engine) { engine_ = &engine; }
  // The process has died, or is about to: every end learns of it.
  void Stop();

  StreamId Open(const v1::WatchRequest& request, std::weak_ptr<WatchEnd> end);
  void OnWritten(StreamId id);
  // The stream is broken.
  void Close(StreamId id);

 private:
  struct Stream {
    std::weak_ptr<WatchEnd> end;
    std::shared_ptr<WatchSession> session;
    bool is_writing = false;
  };

  void Write(StreamId id);
  bool IsPlantedToVanish(const v1::WatchResponse& item);
  void End(StreamId id, const absl::Status& why);
  void ScheduleHeartbeat(StreamId id);

  Surroundings& around_;
  ProcessExecutor& process_;
  const IsOwner is_owner_;
  Engine* engine_ = nullptr;
  std::map<StreamId, Stream> streams_;
  StreamId next_ = 1;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_CORE_WATCHES_H_
