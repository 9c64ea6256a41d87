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
// Dialogs told again after the start, since they may have missed a NOTIFY; and the resources that
// still have such. After a stop that was no crash: none or few.
inline constexpr MetricName kResynced = {"presence_resynced_total",
                                         "Dialogs that were told again after the start."};
inline constexpr MetricName kResyncResources = {
    "presence_resync_resources", "Resources with dialogs that are still to be told again."};
// Resources written down as having told everybody all, which saves telling them after a start.
// Standing still under load: watchers that do not answer.
inline constexpr MetricName kSettled = {"presence_settled_total",
                                        "Resources written down as settled."};
// Batches of commands decided once more, because another core had changed the resource (db-only).
// Near the rate of changes: the same presentities publish through several cores at once.
inline constexpr MetricName kMoved = {"presence_moved_total",
                                      "Batches decided again after another core's change."};
// Rows that ended by time. Publications: devices that left without saying so.
inline constexpr MetricName kExpiredTotal = {"presence_expired_total",
                                             "Rows that ended because their time was over."};
// What is held now. Rising without end: somebody does not clean up.
inline constexpr MetricName kPublications = {"presence_publications", "Publications held."};
inline constexpr MetricName kSubscriptions = {"presence_subscriptions",
                                              "Subscriptions held, ending ones included."};
inline constexpr MetricName kResources = {"presence_resources", "Resources held in memory."};
// Documents with something left out. Rising: presentities with more state or more watchers than a
// NOTIFY can carry; their watchers do not see all of it.
inline constexpr MetricName kDocumentsCut = {
    "presence_documents_cut_total", "Documents that could not show everything, by what they show."};
// Holds of the locks that guard resources, by what for, and the rows they went through. Rows over
// holds is what one costs.
inline constexpr MetricName kLockHolds = {"presence_lock_holds_total",
                                          "Holds of the locks of the map of resources."};
inline constexpr MetricName kLockRows = {"presence_lock_rows_total",
                                         "Rows gone through in holds of those locks."};
// The most of one hold: 1,024, however many watchers a resource has. Above it: a fault of ours.
inline constexpr MetricName kLockMostRows = {"presence_lock_rows_max",
                                             "Most rows gone through in one hold of such a lock."};
// The longest hold. Rising: a machine with too few CPUs, or a fault of ours.
inline constexpr MetricName kLockHold = {"presence_lock_hold_max_seconds",
                                         "Longest hold of such a lock since the start."};

// Commits, and what they wrote: what was written over commits is how much shares one.
inline constexpr MetricName kStorageOwner = {
    "presence_storage_owner",
    "1: this core owns the state and is sure of it; 0: it waits for its turn, or is cut off."};
inline constexpr MetricName kStorageCommits = {"presence_storage_commits_total",
                                               "Transactions sent to the database."};
inline constexpr MetricName kStorageWritten = {"presence_storage_written_total",
                                               "Changes that the database has committed."};
// Rising: the database is away or too slow; see the log.
inline constexpr MetricName kStorageFailed = {
    "presence_storage_failed_total", "Changes whose commit failed or whose answer was lost."};
// Rising: rows of ours that the database does not take; a fault of ours, named in the log.
inline constexpr MetricName kStorageRefused = {"presence_storage_refused_total",
                                               "Changes that the database refuses."};
// Rising: in write-back mode more is changed than the database can take, or it is away while
// another core waits.
inline constexpr MetricName kStorageFallbacks = {
    "presence_storage_fallbacks_total",
    "Changes that waited for the database because nothing more may be promised."};
// What a crash would cost now, in write-back mode: rows, and how old the oldest is.
inline constexpr MetricName kStorageDirty = {"presence_storage_dirty_rows", "Rows unwritten."};
inline constexpr MetricName kStorageOldestDirty = {"presence_storage_oldest_dirty_seconds",
                                                   "Age of the oldest unwritten row."};

}  // namespace presence

#endif  // PRESENCE_CORE_TELEMETRY_METRIC_NAMES_H_
