#ifndef PRESENCE_CORE_EVENT_WINFO_H_
#define PRESENCE_CORE_EVENT_WINFO_H_

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

  // An application/watcherinfo+xml document (RFC 3858 §4) with one watcher-list.
  virtual Document Write(const WinfoDocument& document) const = 0;
};

// How many watchers one document holds at most: with 200 it stays under 64 KiB. The rest of a full
// state follows as partial documents.
inline constexpr size_t kWinfoEntriesPerDocument = 200;
// The same where nothing can follow, as in the answer to a fetch: what a frame of 256 KiB holds.
// More watchers than that are not shown there.
inline constexpr size_t kWinfoEntriesOfOne = 800;

}  // namespace presence

#endif  // PRESENCE_CORE_EVENT_WINFO_H_
