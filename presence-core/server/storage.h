#ifndef PRESENCE_CORE_SERVER_STORAGE_H_
#define PRESENCE_CORE_SERVER_STORAGE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "presence-core/storage/journal.h"
#include "presence-core/storage/postgres/database_options.h"
#include "presence-core/telemetry/core_metrics.h"
#include "presence/v1/core_config.pb.h"
#include "runtime/clock.h"

namespace presence {

// Lets time pass; false when the process is to stop instead.
using Wait = absl::FunctionRef<bool(absl::Duration)>;

// What keeps the state of this process: the journal of its storage mode and everything below it,
// owned for the epoch.
class Storage {
 public:
  // Opens what `config` says and becomes its owner. While another core owns the database this
  // waits, and says so in the log. `on_lost` is called when another process has become the owner,
  // on any thread, maybe more than once: what is answered from then on may be wrong. Errors:
  // INVALID_FIELD storage.dsn or storage.dsn_file; STORAGE_UNAVAILABLE   no database, or not with
  // the schema that this program needs; Cancelled   `wait` said so.
  static absl::StatusOr<std::unique_ptr<Storage>> Open(const v1::StorageConfig& config,
                                                       const std::string& node,
                                                       const std::string& address,
                                                       const Clock& clock, Wait wait,
                                                       std::function<void(std::string)> on_lost);
  virtual ~Storage() = default;

  virtual Journal& journal() = 0;
  virtual uint64_t epoch() const = 0;
  virtual StorageCounters counters() const = 0;
  // For people: "memory only, everything is lost on exit".
  virtual std::string description() const = 0;
  // Returns when every append has ended and been answered, and gives the state to whoever waits for
  // it. Commands have stopped; what answers append is still taken.
  virtual void Close() = 0;
};

// How to reach the database. Errors: INVALID_FIELD   storage.dsn, storage.dsn_file.
absl::StatusOr<DatabaseOptions> ToDatabaseOptions(const v1::StorageConfig& config);

}  // namespace presence

#endif  // PRESENCE_CORE_SERVER_STORAGE_H_
