#ifndef PRESENCE_CORE_STORAGE_MEMORY_MEMORY_JOURNAL_H_
#define PRESENCE_CORE_STORAGE_MEMORY_MEMORY_JOURNAL_H_

#include "presence-core/storage/journal.h"

namespace presence {

// The storage mode `memory`: what the engine holds is all there is, so every change is durable at
// once - for as long as the process lives, which is what this mode promises. Keeps nothing itself.
class MemoryJournal final : public Journal {
 public:
  StateKinds kept() const override { return StateKinds::None(); }
  Acceptance Append(const RowChanges& changes, AppendDone done) override;

  // Never called, as nothing is kept: a call stops the process.
  void Load(const ResourceKey& key, LoadDone done) override;

  absl::Status LoadAll(absl::FunctionRef<void(ResourceRows)> visit) override;
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_MEMORY_MEMORY_JOURNAL_H_
