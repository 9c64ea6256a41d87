#ifndef PRESENCE_CORE_ENGINE_LOCK_HOLDS_H_
#define PRESENCE_CORE_ENGINE_LOCK_HOLDS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/time/time.h"

namespace presence {

// No hold of a stripe's lock goes through more rows than this, however many a resource has: what
// takes longer is done in slices, with others having their turn in between.
inline constexpr size_t kMostRowsPerHold = 1024;

// What a stripe's lock is held for.
enum class Hold : uint8_t {
  kCommand,    // deciding, and applying what is durable at once
  kAppended,   // applying what has become durable
  kLoad,       // taking rows that the journal has read
  kAlarm,      // expiry, back-off, overdue answers
  kNotify,     // going through dialogs
  kWinfo,      // collecting watcher information
  kReport,     // an answer to a NOTIFY
  kCredit,     // waking those that had no credit
  kReconcile,  // finding what a gateway has lost
  kRead,       // GetState, GetAuthorization, HasSubscribers, counters
  kList,       // the lists
  kSchedule,   // looking whether there is anything to do
  kSettle,     // looking whether everybody has been told
  kResync,     // finding who is to be told again after a start
};
inline constexpr size_t kHoldKinds = 14;
std::string_view NameOf(Hold hold);

// All holds of one kind.
struct LockHolds {
  uint64_t holds = 0;
  uint64_t rows = 0;
  uint64_t most_rows = 0;
  absl::Duration longest;

  void Add(const LockHolds& other);
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_LOCK_HOLDS_H_
