#ifndef PRESENCE_TESTS_SIMULATION_CORE_HOST_H_
#define PRESENCE_TESTS_SIMULATION_CORE_HOST_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "presence-core/engine/engine.h"
#include "presence-core/rpc/gateway_session.h"
#include "presence-core/storage/memory/memory_journal.h"
#include "tests/fakes/scripted_journal.h"
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

// The machine that the core runs on: disk, process, and the core's ends of the streams. Dies and
// comes back; what the journal holds outlives it. Some seeds choose the memory journal instead, and
// then the core lives: that mode promises no more.
class CoreHost final : private Journal {
 public:
  using StreamId = uint64_t;

  CoreHost(Surroundings& surroundings, UnknownWatcher unknown);
  ~CoreHost() override;

  bool is_up() const { return engine_ != nullptr && !is_dying_; }
  void Start();
  // Kills the process; it comes back by itself. Without a disk it does not die.
  void Die();

  // A new stream; 0 when nobody listens.
  StreamId Open(std::weak_ptr<StreamEnd> end);
  // A frame of the gateway arrives, and false ends the stream.
  bool OnFrame(StreamId id, const v1::ConnectRequest& frame);
  // The stream is broken.
  void Close(StreamId id);
  // The stream's last frame has been delivered.
  void OnWritable(StreamId id) { Pump(id); }

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

  // Journal
  Acceptance Append(const RowChanges& changes, AppendDone done) override;
  void Load(const ResourceKey& key, LoadDone done) override;
  absl::Status LoadAll(absl::FunctionRef<void(ResourceRows)> visit) override;

  ScriptedJournal::Fate DrawFate();
  RowChanges Planted(const RowChanges& changes) const;
  Acceptance AppendTooLate(const RowChanges& changes);
  void SayAgain(const std::pair<std::string, std::string>& who);
  void Wake(StreamId id);
  void Pump(StreamId id);
  bool EndOlder(const v1::Hello& hello);
  void RecordAndPlant(v1::ConnectResponse& frame, GatewaySession& session);

  Surroundings& around_;
  ProcessExecutor process_;
  ScriptedJournal disk_;
  MemoryJournal memory_;
  const UnknownWatcher unknown_;
  const bool has_disk_;
  EngineConfig config_;
  std::unique_ptr<EventRegistry> registry_;
  SeededRandom random_;
  uint64_t epoch_ = 0;
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
