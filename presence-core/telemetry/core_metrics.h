#ifndef PRESENCE_CORE_TELEMETRY_CORE_METRICS_H_
#define PRESENCE_CORE_TELEMETRY_CORE_METRICS_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "presence-core/engine/engine.h"

namespace presence {

// Documents that could not show everything.
struct CutCounters {
  uint64_t states = 0;
  uint64_t winfo = 0;
};

// What became of what was to be stored in a database.
struct StorageCounters {
  bool is_owner = true;     // for sure
  uint64_t commits = 0;     // tried
  uint64_t written = 0;     // changes of resources (write-through) or rows (write-back)
  uint64_t failed = 0;      // the database was not there, or its answer was lost
  uint64_t refused = 0;     // the database does not take them
  uint64_t fallbacks = 0;   // write-back: changes that waited because too much was dirty
  uint64_t dirty_rows = 0;  // write-back: now
  absl::Duration oldest_dirty;
};

// Every metric of a core, in the text format of Prometheus.
std::string CoreMetrics(const EngineCounters& counters, const CutCounters& cuts,
                        const StorageCounters& storage);

// Those of a core that waits for its turn.
std::string StandbyMetrics();

}  // namespace presence

#endif  // PRESENCE_CORE_TELEMETRY_CORE_METRICS_H_
