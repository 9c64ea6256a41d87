#include "presence-core/storage/memory/memory_journal.h"

#include <cstdlib>

namespace presence {

Journal::Acceptance MemoryJournal::Append(const RowChanges&, AppendDone) {
  return Acceptance::kDurableNow;
}

void MemoryJournal::Load(const ResourceKey&, LoadDone) {
  // The engine loads what is kept, and nothing is kept here: a broken invariant.
  std::abort();
}

absl::Status MemoryJournal::LoadAll(absl::FunctionRef<void(ResourceRows)>) {
  return absl::OkStatus();
}

}  // namespace presence
