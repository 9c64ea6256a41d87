#ifndef PRESENCE_TESTS_SIMULATION_CORE_HOST_H_
#define PRESENCE_TESTS_SIMULATION_CORE_HOST_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "presence-core/engine/engine.h"
#include "presence-core/rpc/gateway_session.h"
#include "tests/simulation/core_storage.h"
#include "tests/simulation/core_watches.h"
#include "tests/simulation/surroundings.h"

namespace presence::simulation {

// The gateway's end of one stream, as the core's machine sees it.
class StreamEnd {
 public:
  virtual ~StreamEnd() = default;
  // A frame has left the core.
  virtual void OnCoreFrame(v1::ConnectResponse frame) = 0;
  // The core has ended the stream.
  virtual void OnCoreClosed() = 0;
  // Whether the core's next frame may be written.
  virtual bool CanTakeFrame() const = 0;
};

// The machine that the core runs on: process, storage, and the core's ends of the streams. Dies and
// comes back with what its storage mode has kept.
class CoreHost final {
 public:
  using StreamId = uint64_t;

  CoreHost(Surroundings& surroundings, UnknownWatcher unknown);
  ~CoreHost();

  bool is_up() const { return engine_ != nullptr && !is_dying_; }
  void Start();
  // Kills the process; it comes back by itself. In memory mode it does not die.
  void Die();

  // A new stream; 0 when nobody listens.
  StreamId Open(std::weak_ptr<StreamEnd> end);
  // A frame of the gateway arrives, and false ends the stream.
  bool OnFrame(StreamId id, const v1::ConnectRequest& frame);
  // The stream is broken.
  void Close(StreamId id);
  // The stream's last frame has been delivered.
  void OnWritable(StreamId id) { Pump(id); }

  CoreStorage& storage() { return storage_; }
  // Only while it is up.
  CoreWatches& watches() { return watches_; }

  // What an administrator does: says it again until it is confirmed, or something else is said.
  void DecideWatcher(const std::string& presentity, const std::string& watcher,
                     WatcherDecision decision);

 private:
  struct Stream {
    std::weak_ptr<StreamEnd> end;
    std::shared_ptr<GatewaySession> session;
    bool is_pump_posted = false;
  };

  void SayAgain(const std::pair<std::string, std::string>& who);
  void Wake(StreamId id);
  void Pump(StreamId id);
  bool EndOlder(const v1::Hello& hello);
  void RecordAndPlant(v1::ConnectResponse& frame, GatewaySession& session);

  Surroundings& around_;
  ProcessExecutor process_;
  CoreStorage storage_;
  const UnknownWatcher unknown_;
  EngineConfig config_;
  std::unique_ptr<EventRegistry> registry_;
  SeededRandom random_;
  bool is_dying_ = false;
  std::unique_ptr<Engine> engine_;
  std::map<StreamId, Stream> streams_;
  StreamId next_stream_ = 1;
  CoreWatches watches_{around_, process_};
  // By presentity and watcher; until it is confirmed.
  std::map<std::pair<std::string, std::string>, DecideWatcherCommand> decisions_;
  uint64_t next_decision_ = 1;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_CORE_HOST_H_
