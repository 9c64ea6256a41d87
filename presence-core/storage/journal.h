#ifndef PRESENCE_CORE_STORAGE_JOURNAL_H_
#define PRESENCE_CORE_STORAGE_JOURNAL_H_

#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence-core/storage/row_changes.h"

namespace presence {

// Where changes become durable. The engine decides a change, appends its rows here, and shows the
// change to nobody - not to the caller, not to a reader, not to a watcher - until the journal says
// it is durable. What durable means is the storage mode's business alone; the engine is the same in
// all of them.
//
// An append has one of three ends, and the difference between the last two is the whole point:
//
// clang-format off
//      Append ──> kDurableNow                     at once, nothing more comes
//             └─> kPending ──> done(kDurable)     the rows are there
//                          ├─> done(kRejected)    the rows are surely not there: the change is dropped
//                          └─> done(kUnknown)     they may be: the engine loads the resource again
//                                                 before its next command, and believes what it finds
// clang-format on
//
// At most one append of a resource is outstanding at a time; the engine waits.

enum class AppendResult { kDurable, kRejected, kUnknown };

struct AppendOutcome {
  AppendResult result = AppendResult::kDurable;
  // Why, unless durable: what the callers of the change are told.
  absl::Status status;
};

// Safe to call from any thread. Implementations pass tests/conformance/journal_suite.h.
class Journal {
 public:
  enum class Acceptance { kDurableNow, kPending };
  using AppendDone = absl::AnyInvocable<void(AppendOutcome)>;
  // Nothing when the journal has no row of the resource.
  using LoadDone = absl::AnyInvocable<void(absl::StatusOr<std::optional<ResourceRows>>)>;

  virtual ~Journal() = default;

  // Of which kinds it makes rows durable. Others are durable without it, for as long as the process
  // lives: they are not appended, and not found by a load.
  virtual StateKinds kept() const { return {}; }

  // Makes `changes` durable as a whole. The caller holds a lock that fixes the order: this never
  // blocks and never calls `done` inline. After kDurableNow `done` is not called; after kPending it
  // is called once, on any thread, without locks. Appending the same rows again is safe.
  virtual Acceptance Append(const RowChanges& changes, AppendDone done) = 0;

  // Reads what is durable of one resource, once no append of it is outstanding. Never blocks, never
  // calls `done` inline. Errors: STORAGE_UNAVAILABLE   nothing could be read; try again.
  virtual void Load(const ResourceKey& key, LoadDone done) = 0;

  // Calls `visit` for every resource, in any order, before it returns; for the start of a server.
  // Blocks. Errors: STORAGE_UNAVAILABLE   some may have been visited; start over with an empty
  // engine.
  virtual absl::Status LoadAll(absl::FunctionRef<void(ResourceRows)> visit) = 0;
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_JOURNAL_H_
