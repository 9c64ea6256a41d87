#ifndef PRESENCE_TESTS_SIMULATION_STORAGE_MODE_H_
#define PRESENCE_TESTS_SIMULATION_STORAGE_MODE_H_

#include <string_view>

#include "absl/time/time.h"

namespace presence::simulation {

// What keeps the state of the core.
enum class StorageMode {
  kMemory,        // MemoryJournal; the core does not die, for it promises no more
  kScripted,      // ScriptedJournal: a journal that ends each append in any way the port allows
  kWriteBack,     // WriteBackJournal over a simulated database
  kWriteThrough,  // WriteThroughJournal over one
};
inline constexpr StorageMode kAllStorageModes[] = {StorageMode::kMemory, StorageMode::kScripted,
                                                   StorageMode::kWriteBack,
                                                   StorageMode::kWriteThrough};
std::string_view NameOf(StorageMode mode);

// What a crash may cost in write-back, while the database is well.
inline constexpr absl::Duration kFlushInterval = absl::Seconds(1);
// An owner learns within this that it is none any more.
inline constexpr absl::Duration kLeaseRenewal = absl::Seconds(1);

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_STORAGE_MODE_H_
