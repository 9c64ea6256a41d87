#ifndef PRESENCE_CORE_TELEMETRY_METRIC_NAMES_H_
#define PRESENCE_CORE_TELEMETRY_METRIC_NAMES_H_

#include "telemetry/metrics_page.h"

namespace presence {

// Every metric of a core.

// Requests to publish, refused ones included. Rises with traffic.
inline constexpr MetricName kPublishTotal = {"presence_publish_total",
                                             "Publish requests decided, refused ones included."};
// Requests that create a subscription, refused ones included.
inline constexpr MetricName kSubscribeTotal = {
    "presence_subscribe_total", "Initial subscribe requests decided, refused ones included."};
// NOTIFYs handed to a link. Rising faster than publishes times watchers: retries.
inline constexpr MetricName kNotifyTotal = {"presence_notify_total",
                                            "NOTIFYs instructed to gateways and watch streams."};
// NOTIFYs that were not answered by 2xx. Rising: watchers that went without a word, or a broken
// path.
inline constexpr MetricName kNotifyFailures = {"presence_notify_failures_total",
                                               "NOTIFYs that ended without a 2xx."};
// Changes that a slow watcher never saw by themselves. Rising: watchers slower than publishers.
inline constexpr MetricName kNotifyCoalesced = {
    "presence_notify_coalesced_total",
    "Visible changes overtaken by newer ones before they were told."};
// Rows that ended by time. Publications: devices that left without saying so.
inline constexpr MetricName kExpiredTotal = {"presence_expired_total",
                                             "Rows that ended because their time was over."};
// What is held now. Rising without end: somebody does not clean up.
inline constexpr MetricName kPublications = {"presence_publications", "Publications held."};
inline constexpr MetricName kSubscriptions = {"presence_subscriptions",
                                              "Subscriptions held, ending ones included."};
inline constexpr MetricName kResources = {"presence_resources", "Resources held in memory."};
// The longest a stripe's lock was held. Rising: a resource that slows its neighbours.
inline constexpr MetricName kLockHold = {"presence_lock_hold_max_seconds",
                                         "Longest hold of a stripe's lock since the start."};
inline constexpr MetricName kLockRows = {"presence_lock_rows_max",
                                         "Most rows gone through in one hold of a stripe's lock."};

}  // namespace presence

#endif  // PRESENCE_CORE_TELEMETRY_METRIC_NAMES_H_
