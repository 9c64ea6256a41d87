#include "presence-core/telemetry/core_metrics.h"

#include "presence-core/telemetry/metric_names.h"
#include "telemetry/metrics_page.h"

namespace presence {

std::string CoreMetrics(const EngineCounters& counters, const CutCounters& cuts,
                        const StorageCounters& storage) {
  const EngineCounters& c = counters;
  MetricsPage page;
  page.Counter(kPublishTotal, c.publishes);
  page.Counter(kSubscribeTotal, c.subscribes);
  page.Counter(kNotifyTotal, c.instructions);
  page.Counter(kNotifyFailures, c.notify_failures);
  page.Counter(kNotifyCoalesced, c.coalesced);
  page.Counter(kResynced, c.resynced);
  page.Gauge(kResyncResources, static_cast<double>(c.resync_resources_now));
  page.Counter(kSettled, c.settled);
  page.Counter(kMoved, c.moved);
  page.Counter(kExpiredTotal, c.expired_publications, {{"kind", "publication"}});
  page.Counter(kExpiredTotal, c.expired_subscriptions, {{"kind", "subscription"}});
  page.Gauge(kPublications, static_cast<double>(c.publications_now));
  page.Gauge(kSubscriptions, static_cast<double>(c.subscriptions_now));
  page.Gauge(kResources, static_cast<double>(c.resources_now));
  page.Counter(kDocumentsCut, cuts.states, {{"kind", "state"}});
  page.Counter(kDocumentsCut, cuts.winfo, {{"kind", "winfo"}});
  page.Gauge(kStorageOwner, storage.is_owner ? 1 : 0);
  page.Counter(kStorageCommits, storage.commits);
  page.Counter(kStorageWritten, storage.written);
  page.Counter(kStorageFailed, storage.failed);
  page.Counter(kStorageRefused, storage.refused);
  page.Counter(kStorageFallbacks, storage.fallbacks);
  page.Gauge(kStorageDirty, static_cast<double>(storage.dirty_rows));
  page.Gauge(kStorageOldestDirty, absl::ToDoubleSeconds(storage.oldest_dirty));
  // Samples of one metric stand together.
  const auto for_each_hold = [&](auto add) {
    for (size_t i = 0; i < kHoldKinds; ++i) {
      const Hold hold{static_cast<uint8_t>(i)};
      add(c.holds_for(hold), MetricsPage::Labels{{"hold", std::string(NameOf(hold))}});
    }
  };
  for_each_hold([&](const LockHolds& h, const auto& l) { page.Counter(kLockHolds, h.holds, l); });
  for_each_hold([&](const LockHolds& h, const auto& l) { page.Counter(kLockRows, h.rows, l); });
  for_each_hold([&](const LockHolds& h, const auto& l) {
    page.Gauge(kLockMostRows, static_cast<double>(h.most_rows), l);
  });
  for_each_hold([&](const LockHolds& h, const auto& l) {
    page.Gauge(kLockHold, absl::ToDoubleSeconds(h.longest), l);
  });
  return page.Text();
}

std::string StandbyMetrics() {
  MetricsPage page;
  page.Gauge(kStorageOwner, 0);
  return page.Text();
}

}  // namespace presence
