#ifndef PRESENCE_CORE_SERVER_STORAGE_H_
#define PRESENCE_CORE_SERVER_STORAGE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "presence-core/storage/journal.h"
#include "presence-core/storage/postgres/database_options.h"
#include "presence-core/storage/postgres/views.h"
#include "presence-core/telemetry/core_metrics.h"
#include "presence/v1/core_config.pb.h"
#include "runtime/clock.h"

namespace presence {

// How a process comes to own its storage, and what becomes of that.
struct Succession {
  // Its name, unless the configuration has another.
  std::string node;
  // Lets time pass; false when the process is to stop instead of waiting for its turn.
  std::function<bool(absl::Duration)> wait;
  // Another core owns the state, and may be reached there; called again and again while that is so.
  // An error ends the waiting.
  std::function<absl::Status(const std::string& owner, const std::string& address)> on_waiting;
  // Another process has become the owner: what is answered from then on may be wrong. Called on
  // any thread, maybe more than once.
  std::function<void(std::string why)> on_lost;
};

// How processes that share a database (db-only) work together; of no use where one owns it.
class SharedState {
 public:
  virtual ~SharedState() = default;

  // From now on hears what the others change. The functions are called on a thread of their own,
  // and none runs any more when StopListening() returns.
  struct Listener {
    std::function<void(const std::vector<ResourceKey>&)> on_changed;
    std::function<void()> on_gap;  // anything may have changed
  };
  virtual void Listen(Listener listener) = 0;
  virtual void StopListening() = 0;
  // Has on_gap called once more.
  virtual void SayGap() = 0;

  // As GatewaySessions (storage/postgres/gateway_sessions.h).
  virtual void Claim(std::string group, std::string gateway,
                     absl::AnyInvocable<void(absl::StatusOr<bool>)> done) = 0;
  virtual void Leave(std::string group, std::string gateway) = 0;
};

// What keeps the state of this process: the journal of its storage mode and everything below it,
// owned for the epoch.
class Storage {
 public:
  // Opens what `core` says and becomes its owner, which may take until another core dies. Errors:
  // INVALID_FIELD storage.dsn or storage.dsn_file; STORAGE_UNAVAILABLE   no database;
  // FailedPrecondition   not with the schema that this program needs; Cancelled   `wait` said so;
  // those of `on_waiting`.
  static absl::StatusOr<std::unique_ptr<Storage>> Open(const v1::CoreConfig& core,
                                                       const Clock& clock,
                                                       const Succession& succession);
  virtual ~Storage() = default;

  virtual Journal& journal() = 0;
  virtual uint64_t epoch() const = 0;
  // Whether no other process can be the owner now; while it is false, nothing is told that was not
  // committed. From any thread, cheap.
  virtual bool IsSure() const = 0;
  // Where other cores reach this one.
  virtual void Announce(std::string address) = 0;
  virtual StorageCounters counters() const = 0;
  // Null unless other processes use the same state at the same time.
  virtual SharedState* shared() { return nullptr; }
  // For people: "memory only, everything is lost on exit".
  virtual std::string description() const = 0;
  // Returns when every append has ended and been answered, and gives the state to whoever waits for
  // it. Commands have stopped; what answers append is still taken.
  virtual void Close() = 0;
};

// What the views for readers of Kamailio's tables are called.
ViewNames ToViewNames(const v1::StorageConfig& config);

// How to reach the database. Errors: INVALID_FIELD   storage.dsn, storage.dsn_file.
absl::StatusOr<DatabaseOptions> ToDatabaseOptions(const v1::StorageConfig& config);

}  // namespace presence

#endif  // PRESENCE_CORE_SERVER_STORAGE_H_
