#ifndef PRESENCE_CORE_STORAGE_WRITE_BACK_BACKLOG_H_
#define PRESENCE_CORE_STORAGE_WRITE_BACK_BACKLOG_H_

#include <atomic>
#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "presence-core/model/resource_key.h"
#include "presence-core/model/state_kind.h"
#include "presence-core/storage/write_back/dirty_rows.h"

namespace presence {

struct WriteBackOptions {
  // The kinds of state that are kept at all, and those of them of which a change waits until it is
  // stored, as in write-through.
  StateKinds kept;
  StateKinds stored_first = StateKinds::None();
  // How long a change may stay unwritten while the database answers: what a crash can cost.
  absl::Duration flush_interval = absl::Seconds(1);
  // With this much unwritten, a change waits for the database as in write-through.
  uint64_t max_dirty_rows = 100'000;
  uint64_t max_dirty_bytes = uint64_t{256} << 20;
  // Rows in one commit; more only where one resource has more.
  uint64_t max_batch_rows = 2'000;
  // While it is false, every change waits for the database: another process may own the shards by
  // now, and then what is promised here is lost. From any thread, cheap.
  absl::AnyInvocable<bool() const> may_promise = [] { return true; };
  // Another process owns a shard, and nothing is written any more. On any thread, more than once.
  absl::AnyInvocable<void() const> on_fenced = [] {};
  // The database refuses a row of this resource that was promised: it is dropped. On any thread.
  absl::AnyInvocable<void(const ResourceKey&, const absl::Status&) const> on_refused =
      [](const ResourceKey&, const absl::Status&) {};
};

// How much waits in all shards of a journal together, and what became of the rest. Safe to use from
// any thread.
struct Backlog {
  std::atomic<uint64_t> rows{0};  // promised, and not known to be stored
  std::atomic<uint64_t> bytes{0};
  std::atomic<bool> is_fenced{false};

  std::atomic<uint64_t> commits{0};
  std::atomic<uint64_t> written{0};
  std::atomic<uint64_t> coalesced{0};
  std::atomic<uint64_t> failed{0};
  std::atomic<uint64_t> refused{0};
  std::atomic<uint64_t> stored_first{0};
  std::atomic<uint64_t> fallbacks{0};

  bool IsFull(const WriteBackOptions& options) const {
    return rows >= options.max_dirty_rows || bytes >= options.max_dirty_bytes;
  }
  void Add(const DirtySize& size) {
    rows += size.rows;
    bytes += size.bytes;
  }
  void Remove(const DirtySize& size) {
    rows -= size.rows;
    bytes -= size.bytes;
  }
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_WRITE_BACK_BACKLOG_H_
