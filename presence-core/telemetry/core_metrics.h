#ifndef PRESENCE_CORE_TELEMETRY_CORE_METRICS_H_
#define PRESENCE_CORE_TELEMETRY_CORE_METRICS_H_

#include <cstdint>
#include <string>

#include "presence-core/engine/engine.h"

namespace presence {

// Documents that could not show everything.
struct CutCounters {
  uint64_t states = 0;
  uint64_t winfo = 0;
};

// Every metric of a core, in the text format of Prometheus.
std::string CoreMetrics(const EngineCounters& counters, const CutCounters& cuts);

}  // namespace presence

#endif  // PRESENCE_CORE_TELEMETRY_CORE_METRICS_H_
