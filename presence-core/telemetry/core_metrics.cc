#include "presence-core/telemetry/core_metrics.h"

#include "presence-core/telemetry/metric_names.h"
#include "telemetry/metrics_page.h"

namespace presence {

std::string CoreMetrics(const EngineCounters& counters) {
  const EngineCounters& c = counters;
  MetricsPage page;
  page.Counter(kPublishTotal, c.publishes);
  page.Counter(kSubscribeTotal, c.subscribes);
  page.Counter(kNotifyTotal, c.instructions);
  page.Counter(kNotifyFailures, c.notify_failures);
  page.Counter(kNotifyCoalesced, c.coalesced);
  page.Counter(kExpiredTotal, c.expired_publications, {{"kind", "publication"}});
  page.Counter(kExpiredTotal, c.expired_subscriptions, {{"kind", "subscription"}});
  page.Gauge(kPublications, static_cast<double>(c.publications_now));
  page.Gauge(kSubscriptions, static_cast<double>(c.subscriptions_now));
  page.Gauge(kResources, static_cast<double>(c.resources_now));
  page.Gauge(kLockHold, absl::ToDoubleSeconds(c.max_lock_hold));
  page.Gauge(kLockRows, static_cast<double>(c.max_rows_per_lock_hold));
  return page.Text();
}

}  // namespace presence
