#ifndef PRESENCE_CORE_ENGINE_WINFO_STATE_H_
#define PRESENCE_CORE_ENGINE_WINFO_STATE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "presence-core/engine/resource.h"
#include "presence-core/event/winfo.h"

namespace presence {

// What has changed among the watchers of one resource, the newest a watcher, numbered. All winfo
// dialogs share it: each remembers the number it has come to, so a change costs the same however
// many watch the watchers, and merges by itself while a NOTIFY is in flight. Not thread-safe.
class WinfoLog {
 public:
  // More changes than that are not kept: a full state says it shorter.
  static constexpr size_t kMostChanges = 500;

  void Add(WinfoEntry entry);
  // What changed is not known: whoever has not come to here starts anew.
  void Reset() { forgotten_ = ++last_; }
  // Nobody needs changes up to this number any more. Returns how many have gone.
  size_t Trim(uint64_t up_to);

  // Number of the newest change.
  uint64_t last() const { return last_; }
  // Changes up to this one cannot be read any more.
  uint64_t forgotten() const { return forgotten_; }
  // By number; those that are forgotten are still on their way out.
  const absl::btree_map<uint64_t, WinfoEntry>& changes() const { return changes_; }

 private:
  bool DropOldest();

  uint64_t last_ = 0;
  uint64_t forgotten_ = 0;
  absl::btree_map<uint64_t, WinfoEntry> changes_;
  absl::flat_hash_map<uint64_t, uint64_t> newest_;  // number of a watcher's, by its id
};

// How far one reader of watcher information has come: through a full state, which is read part by
// part, and then from change to change.
struct WinfoPosition {
  enum class Part : uint8_t { kSubscriptions, kWaiting, kChanges };
  Part part = Part::kSubscriptions;
  uint64_t ordinal = 0;  // of the full state, to go on from
  uint64_t told = 0;     // number of the newest change shown
};

// How far one winfo dialog has got (RFC 3858 §4: versions step by one, partial documents hold what
// changed).
struct WinfoProgress {
  uint32_t version = 0;  // of the next document
  bool needs_full = true;
  // The watcher may not have the last version: whatever comes next is a full state.
  bool has_gap = false;
  WinfoPosition position;

  bool IsDue(const WinfoLog& log) const {
    return needs_full || position.part != WinfoPosition::Part::kChanges ||
           position.told < log.last();
  }
};

struct WinfoState {
  absl::btree_set<uint64_t> dialogs;  // ordinals
  WinfoLog log;
  // As the sweep of NotifyState: a change makes all of them due without touching any.
  uint64_t cursor = 0;
  size_t sweep_left = 0;
};

// One watcher, and how far a reader is who has not been shown it.
struct WinfoItem {
  WinfoPosition before;
  WinfoEntry entry;
};

// Reads on from `position`: appends at most `most` watchers to `items` and goes through at most
// kRowsPerSlice rows, which it returns the number of. A full state and the changes after it are
// never read by one call. `log` may be null: then there are no changes.
size_t ReadWinfo(const Resource& resource, const WinfoLog* log, absl::Time now, size_t most,
                 WinfoPosition& position, std::vector<WinfoItem>& items);

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_WINFO_STATE_H_
