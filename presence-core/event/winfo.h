#ifndef PRESENCE_CORE_EVENT_WINFO_H_
#define PRESENCE_CORE_EVENT_WINFO_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "presence-core/model/document.h"
#include "presence-core/model/resource_key.h"
#include "presence-core/model/subscription.h"

namespace presence {

// Watcher information: the state of a resource's subscriptions, itself subscribed to as "x.winfo"
// (RFC 3857). It is not published but follows from what the engine knows, so it is no EventPackage:
// the engine collects WinfoEntry values and a WinfoFormat writes them down (RFC 3858).

inline constexpr std::string_view kWinfoContentType = "application/watcherinfo+xml";

// What last happened to a subscription (RFC 3857 §4.7.1, RFC 3858 §3).
enum class WinfoEvent {
  kSubscribe,
  kApproved,
  kDeactivated,
  kProbation,
  kRejected,
  kTimeout,
  kGiveup,
  kNoresource,
};

// One <watcher> element. A value.
struct WinfoEntry {
  // Stable for as long as the watcher is reported, and distinct within the resource.
  uint64_t id = 0;
  WatcherUri watcher;
  SubscriptionState status = SubscriptionState::kActive;
  WinfoEvent event = WinfoEvent::kSubscribe;
  absl::Time subscribed_at;              // "duration-subscribed" counts from here
  std::optional<absl::Time> expires_at;  // "expiration"; none for waiting and terminated
};

// What goes into one document.
struct WinfoDocument {
  ResourceKey resource;
  uint32_t version = 0;  // from 0, plus one a document of the same subscription
  bool is_full = true;
  absl::Time now;
  std::vector<WinfoEntry> watchers;
};

// Writes watcher information. Safe to call from any thread.
class WinfoFormat {
 public:
  virtual ~WinfoFormat() = default;

  struct Written {
    Document document;
    size_t watchers = 0;  // of the list, from its beginning
  };
  // An application/watcherinfo+xml document (RFC 3858 §4) with one watcher-list, of at most
  // `max_bytes`: as many watchers as fit are in it, but always the first.
  virtual Written Write(const WinfoDocument& document, size_t max_bytes) const = 0;
};

// How much one document holds at most; the rest of a full state follows as partial documents. A
// frame to a gateway aims at 64 KiB.
struct WinfoLimits {
  size_t watchers = 0;
  size_t bytes = 0;
};
inline constexpr WinfoLimits kWinfoPart = {200, 56 * 1024};
// The same where nothing can follow, as in the answer to a fetch: no frame is above 256 KiB. More
// watchers than that are not shown there.
inline constexpr WinfoLimits kWinfoOfOne = {800, 184 * 1024};

}  // namespace presence

#endif  // PRESENCE_CORE_EVENT_WINFO_H_
