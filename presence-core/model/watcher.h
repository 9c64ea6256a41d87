#ifndef PRESENCE_CORE_MODEL_WATCHER_H_
#define PRESENCE_CORE_MODEL_WATCHER_H_

#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "presence-core/model/address_of_record.h"

namespace presence {

// What the presentity decided about a watcher; the numbers are those of
// presence.v1.WatcherDecision.
enum class WatcherDecision { kNone = 0, kAllow = 1, kBlock = 2, kConfirm = 3 };

// What is remembered of a watcher besides its subscriptions: an immutable row.
struct WatcherRecord {
  WatcherUri watcher;
  WatcherDecision decision = WatcherDecision::kNone;
  // RFC 3857 §4.7.1 "waiting": it asked, went, and nobody has decided. Finite while it waits: when
  // that is given up.
  absl::Time waits_until = absl::InfinitePast();
  // Its id in winfo documents while it waits.
  uint64_t ordinal = 0;

  bool is_waiting() const { return waits_until != absl::InfinitePast(); }
};

using WatcherRecordPtr = std::shared_ptr<const WatcherRecord>;

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_WATCHER_H_
