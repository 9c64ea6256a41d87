#ifndef PRESENCE_CORE_STORAGE_JOURNAL_H_
#define PRESENCE_CORE_STORAGE_JOURNAL_H_

#include <cstdint>
#include <optional>
#include <utility>

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
// An append has one of four ends, and the difference between rejected and unknown is the whole
// point:
//
// clang-format off
//      Append ──> kDurableNow                     at once, nothing more comes
//             └─> kPending ──> done(kDurable)     the rows are there
//                          ├─> done(kRejected)    the rows are surely not there: the change is dropped
//                          ├─> done(kUnknown)     they may be: the engine loads the resource again
//                          │                      before its next command, and believes what it finds
//                          └─> done(kMoved)       they are not, for another process has changed the
//                                                 resource: the engine looks, and decides once more
// clang-format on
//
// At most one append of a resource is outstanding at a time; the engine waits.
//
// A *shared* journal is one that several processes append to. Then what the engine holds is a copy,
// which may be old. An append of it is a claim (RowChanges::is_claim), and one that was decided on
// an old copy has moved. What changes nothing - a refusal, an answer to a reader - is no append and
// would not be found out: the engine looks first.

enum class AppendResult { kDurable, kRejected, kUnknown, kMoved };

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

  // Whether other processes append as well.
  virtual bool is_shared() const { return false; }

  // Makes `changes` durable as a whole. The caller holds a lock that fixes the order: this never
  // blocks and never calls `done` inline. After kDurableNow `done` is not called; after kPending it
  // is called once, on any thread, without locks. Appending the same rows again is safe.
  virtual Acceptance Append(const RowChanges& changes, AppendDone done) = 0;

  // Reads what is durable of one resource, once no append of it is outstanding. As Append: the
  // caller may hold a lock, this never blocks and never calls `done` inline. Errors:
  // STORAGE_UNAVAILABLE   nothing could be read; try again.
  virtual void Load(const ResourceKey& key, LoadDone done) = 0;

  // Of a shared journal: reads a resource as it is by now, whoever changed it. Where it is still of
  // version `known`, the row of the resource itself is enough. Never blocks, never calls `done`
  // inline. Errors: STORAGE_UNAVAILABLE.
  virtual void Look(const ResourceKey& key, uint64_t /*known*/, LoadDone done) {
    Load(key, std::move(done));
  }

  // Of a shared journal: the resource that has a subscription of this tag by now, whoever began it;
  // nothing when none has. Never blocks, never calls `done` inline. Errors: STORAGE_UNAVAILABLE.
  using FindDone = absl::AnyInvocable<void(absl::StatusOr<std::optional<ResourceKey>>)>;
  virtual void Find(const LocalTag& /*tag*/, FindDone /*done*/) {}

  // Calls `visit` for every resource, in any order, before it returns; for the start of a server.
  // Blocks. Errors: STORAGE_UNAVAILABLE   some may have been visited; start over with an empty
  // engine.
  virtual absl::Status LoadAll(absl::FunctionRef<void(ResourceRows)> visit) = 0;
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_JOURNAL_H_
