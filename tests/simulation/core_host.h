#ifndef PRESENCE_TESTS_SIMULATION_CORE_HOST_H_
#define PRESENCE_TESTS_SIMULATION_CORE_HOST_H_

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "presence-core/engine/engine.h"
#include "presence-core/rpc/gateway_roster.h"
#include "presence-core/rpc/gateway_session.h"
#include "tests/simulation/core_peers.h"
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

// What a core is given to work with.
struct CoreSpec {
  std::string name;
  UnknownWatcher unknown = UnknownWatcher::kAllow;
  EngineConfig config;
};
// Chosen by the dice.
EngineConfig DrawConfig(Surroundings& surroundings);

// The machine that a core runs on: process, storage, and the core's ends of the streams. Dies and
// comes back with what its storage mode has kept.
class CoreHost final {
 public:
  using StreamId = uint64_t;

  CoreHost(Surroundings& surroundings, Database& database, SharedTables& tables, CoreSpec spec);
  ~CoreHost();

  const std::string& name() const { return spec_.name; }
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
  CorePeers& peers() { return peers_; }
  // Only while it is up.
  CoreWatches& watches() { return watches_; }
  Engine& engine() { return *engine_; }

 private:
  class Stream;

  void Take(StreamId id, const v1::ConnectRequest& frame);
  void OnGreeted(StreamId id, const absl::Status& status, const v1::ConnectRequest& hello);
  void WatchOwnership();
  void Wake(StreamId id);
  void Pump(StreamId id);
  void End(StreamId id);
  void RecordAndPlant(v1::ConnectResponse& frame, const Stream& stream);
  Instructed ToRecord(const v1::ConnectResponse& frame, const v1::NotifyInstruction& instruction,
                      const Stream& stream) const;

  Surroundings& around_;
  ProcessExecutor process_;
  const CoreSpec spec_;
  CorePeers peers_;
  CoreStorage storage_;
  std::unique_ptr<EventRegistry> registry_;
  SeededRandom random_;
  bool is_dying_ = false;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<GatewayRoster> roster_;
  std::map<StreamId, std::shared_ptr<Stream>> streams_;
  StreamId next_stream_ = 1;
  CoreWatches watches_{around_, process_, [this] { return peers_.IsSure(); }};
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_CORE_HOST_H_
