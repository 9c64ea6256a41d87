#ifndef PRESENCE_CORE_TELEMETRY_CORE_METRICS_H_
#define PRESENCE_CORE_TELEMETRY_CORE_METRICS_H_

#include <string>

#include "presence-core/engine/engine.h"

namespace presence {

// Every metric of a core, in the text format of Prometheus.
std::string CoreMetrics(const EngineCounters& counters);

}  // namespace presence

#endif  // PRESENCE_CORE_TELEMETRY_CORE_METRICS_H_
