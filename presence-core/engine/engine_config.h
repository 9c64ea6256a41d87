#ifndef PRESENCE_CORE_ENGINE_ENGINE_CONFIG_H_
#define PRESENCE_CORE_ENGINE_ENGINE_CONFIG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "presence-core/event/event_package.h"
#include "presence-core/model/address_of_record.h"

namespace presence {

// What to do with a lifetime between 0 and the minimum (module parameter min_expires_action).
enum class TooBrief { kReject, kRaise };

// Whether a SUBSCRIBE is answered by a NOTIFY even without news (module parameter
// send_fast_notify).
enum class InitialNotify { kAlways, kWhenState, kNever };

// What an unanswered NOTIFY does to its subscription (module parameter timeout_rm_subs).
enum class OnNotifyTimeout { kRemove, kKeep, kRetry };

// In which order publications are weighed against each other (retrieve_order, retrieve_order_by):
// the first that differs decides, and time means the newer is stronger.
enum class CompositionOrder { kReceived, kPriority, kPriorityThenReceived };

// Whether a blocked watcher is refused at once or, as Kamailio does, accepted and then told
// "rejected".
enum class RejectHow { kImmediately, kAfterAccept };

// Settings of one event package; the maps of EngineConfig name the packages.
struct PackageConfig {
  std::optional<Lifetimes> publication;   // unset: the package's own
  std::optional<Lifetimes> subscription;  // unset: the package's own
  TooBrief too_brief = TooBrief::kReject;
  InitialNotify initial_notify = InitialNotify::kAlways;
  // Shortest time between two NOTIFYs of changes to one watcher. 0: at once.
  absl::Duration min_notify_interval;
};

// Everything the engine can be told. Made by server/wiring from core_config.proto, where each field
// is documented for users; here stands what the engine does with it.
struct EngineConfig {
  AddressRules addresses;
  // Domains served; empty serves every domain.
  std::vector<std::string> domains;

  std::map<std::string, PackageConfig> packages;
  PackageConfig every_package;  // for packages that `packages` does not name

  // What is taken off the lifetime told to a publisher, so that it refreshes in good time.
  absl::Duration publish_expires_margin;
  // How long after its lifetime a subscription still lives, for refreshes that are late.
  absl::Duration subscribe_grace;
  uint32_t cseq_tolerance = 0;
  bool publish_replace_same_call_id = true;
  bool subscribe_replace_same_call_id = false;
  // Expired publications go without telling the watchers.
  bool expire_silently = false;
  // Expired rows are looked for at multiples of this; 0: never, only Cleanup removes them.
  absl::Duration sweep_interval = absl::Milliseconds(100);

  CompositionOrder composition_order = CompositionOrder::kPriorityThenReceived;
  RejectHow reject_how = RejectHow::kImmediately;
  OnNotifyTimeout on_notify_timeout = OnNotifyTimeout::kRemove;
  // How long a watcher that asked and went is kept for the presentity to decide.
  absl::Duration waiting_lifetime = absl::Hours(24);

  size_t max_document_bytes = 32 * 1024;
  size_t max_publications = 40;      // a presentity and package
  size_t max_subscriptions = 10000;  // a presentity and package
  size_t max_per_watcher = 100;      // of those, of one watcher

  // Dialogs a second that are told again after a start, of those that may have missed a NOTIFY.
  uint32_t resync_rate = 1000;
  // Resources a second that are written down as settled once they have been quiet for
  // `settle_delay`. 0: none, where nothing outlives the process.
  uint32_t settle_rate = 1000;
  absl::Duration settle_delay = absl::Seconds(1);

  // Size of the striped map; a power of two.
  int stripes = 16;
  // RFC 3261 §17.1.1.1; 64 of them is how long an answer is waited for.
  absl::Duration sip_t1 = absl::Milliseconds(500);

  const PackageConfig& package(const std::string& event) const {
    auto it = packages.find(event);
    return it == packages.end() ? every_package : it->second;
  }
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_ENGINE_CONFIG_H_
