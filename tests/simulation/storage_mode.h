#ifndef PRESENCE_TESTS_SIMULATION_STORAGE_MODE_H_
#define PRESENCE_TESTS_SIMULATION_STORAGE_MODE_H_

#include <string_view>

#include "absl/time/time.h"
#include "presence-core/model/state_kind.h"

namespace presence::simulation {

// What keeps the state of the core.
enum class StorageMode {
  kMemory,        // MemoryJournal; the core does not die, for it promises no more
  kScripted,      // ScriptedJournal: a journal that ends each append in any way the port allows
  kWriteBack,     // WriteBackJournal over a simulated database
  kWriteThrough,  // WriteThroughJournal over one
  // WriteBackJournal with one kind that is stored first: publications in the one mode,
  // subscriptions in the other.
  kWriteBackWriteThrough,
  kWriteThroughWriteBack,
  kDbOnly,  // WriteThroughJournals of two cores over one database, each change a claim
};
inline constexpr StorageMode kAllStorageModes[] = {StorageMode::kMemory,
                                                   StorageMode::kScripted,
                                                   StorageMode::kWriteBack,
                                                   StorageMode::kWriteThrough,
                                                   StorageMode::kWriteBackWriteThrough,
                                                   StorageMode::kWriteThroughWriteBack,
                                                   StorageMode::kDbOnly};
std::string_view NameOf(StorageMode mode);

// Whether a crash may cost something: the journal is a WriteBackJournal.
constexpr bool IsWriteBack(StorageMode mode) {
  return mode == StorageMode::kWriteBack || mode == StorageMode::kWriteBackWriteThrough ||
         mode == StorageMode::kWriteThroughWriteBack;
}

// Whether several cores serve at once.
constexpr bool IsShared(StorageMode mode) { return mode == StorageMode::kDbOnly; }

// The kinds of which a crash costs nothing in a mode that is write-back otherwise. Decisions are as
// safe as the safer kind.
constexpr StateKinds StoredFirst(StorageMode mode) {
  const bool publications = mode == StorageMode::kWriteThroughWriteBack;
  const bool subscriptions = mode == StorageMode::kWriteBackWriteThrough;
  return {publications, subscriptions, publications || subscriptions};
}

// What a crash may cost in write-back, while the database is well.
inline constexpr absl::Duration kFlushInterval = absl::Seconds(1);
// An owner learns within this that it is none any more.
inline constexpr absl::Duration kLeaseRenewal = absl::Seconds(1);
// Where several share the lease, as LeaseKeeper has it: who has not been seen for so long is dead,
// and says no more this long before.
inline constexpr absl::Duration kLeaseLifetime = absl::Seconds(4);
inline constexpr absl::Duration kLeaseMargin = absl::Seconds(1);

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_STORAGE_MODE_H_
