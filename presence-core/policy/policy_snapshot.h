#ifndef PRESENCE_CORE_POLICY_POLICY_SNAPSHOT_H_
#define PRESENCE_CORE_POLICY_POLICY_SNAPSHOT_H_

#include <map>
#include <optional>
#include <string>

#include "presence-core/event/event_package.h"
#include "presence-core/model/address_of_record.h"
#include "presence-core/model/resource_key.h"
#include "presence-core/model/watcher.h"

namespace presence {

// What a watcher may do (RFC 5025 §3.2.1, the values a default or a stored decision can give).
enum class Authorization { kAllow, kConfirm, kBlock };

struct Verdict {
  Authorization authorization = Authorization::kConfirm;
  // Which rule said so, in words for people; a literal, so making one costs nothing.
  std::string_view because;
};

// Who may watch whom, as it stood at one moment. Immutable: decisions made with it are decisions of
// that moment, and a change of policy is a new snapshot. Safe to call from any thread.
class PolicySnapshot {
 public:
  struct Defaults {
    // For packages that are not listed below; unset: what each package itself says.
    std::optional<UnknownWatcher> all;
    std::map<std::string, UnknownWatcher> by_event;
  };

  explicit PolicySnapshot(Defaults defaults) : defaults_(std::move(defaults)) {}

  // Weighs in this order: watcher information is for the presentity alone (RFC 3857 §4.6); what the
  // presentity decided about this watcher; the configured default; the default of the package.
  Verdict Authorize(const ResourceKey& resource, const EventName& event, const WatcherUri& watcher,
                    WatcherDecision decision, const EventTraits& traits) const;

 private:
  const Defaults defaults_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_POLICY_POLICY_SNAPSHOT_H_
