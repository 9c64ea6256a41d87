#ifndef PRESENCE_TESTS_SIMULATION_FAULTS_H_
#define PRESENCE_TESTS_SIMULATION_FAULTS_H_

#include <cstdint>
#include <string_view>

#include "absl/time/time.h"

namespace presence::simulation {

// How much goes wrong while faults are on; all chances in percent.
struct Faults {
  // Of each datagram.
  uint64_t lost = 5;
  uint64_t doubled = 3;
  absl::Duration longest_way = absl::Milliseconds(200);
  // Of each message over a connection.
  uint64_t cut_in_message = 2;
  // Of each append.
  uint64_t append_rejected = 2;
  uint64_t append_unknown = 3;
  uint64_t core_dies_at_append = 1;
  uint64_t core_dies_at_completion = 1;
  uint64_t load_fails = 20;
  // Of each commit of the database; the core dies at commits as at appends.
  uint64_t commit_failed = 2;
  uint64_t commit_unknown = 3;
  uint64_t stalls = 2;
  uint64_t look_fails = 3;
  // Of each text that is published: the database refuses its row.
  uint64_t refused = 2;
  // Of each frame.
  uint64_t core_dies_at_frame = 1;
  uint64_t stream_breaks_at_frame = 2;
  // Of each NOTIFY.
  uint64_t busy = 5;  // 503 with Retry-After
};

inline constexpr Faults kNoFaults = {.lost = 0,
                                     .doubled = 0,
                                     .longest_way = absl::Milliseconds(20),
                                     .cut_in_message = 0,
                                     .append_rejected = 0,
                                     .append_unknown = 0,
                                     .core_dies_at_append = 0,
                                     .core_dies_at_completion = 0,
                                     .load_fails = 0,
                                     .commit_failed = 0,
                                     .commit_unknown = 0,
                                     .stalls = 0,
                                     .look_fails = 0,
                                     .refused = 0,
                                     .core_dies_at_frame = 0,
                                     .stream_breaks_at_frame = 0,
                                     .busy = 0};

// A bug put in on purpose, at a seam of the system, to show that the simulation finds its kind.
enum class Plant {
  kNone,
  kDroppedInstruction,  // an instruction vanishes and is reported as answered 200
  kReusedCseq,          // an instruction carries the CSeq of the one before
  kAnswerBeforeCommit,  // the journal says "durable" before it is
  kForgottenLimit,      // a raised cseq_limit is not stored
  kForgottenEnd,        // the end of a subscription is not stored
  kForgottenRequest,    // what recognizes a repeated request is not stored
  kLostWatcher,         // a watcher is left out of a winfo document now and then
  kIdleSweep,           // what expires is looked for too seldom
  kLostChange,          // a state vanishes on its way to a program
  kMissedReset,         // a program is not told that what it knew is void
  kIgnoredToken,        // a resumed Watch begins anew
  kEarlyCommit,         // write-through: a commit is answered before it is committed
  kLateLimit,           // write-back: a raised cseq_limit is promised and not stored first
  kForgottenDeletion,   // a deletion does not go to the database
  kUnknownIsFailure,    // an unknown outcome of a commit is taken for a failure
  kFencedGoesOn,        // a core whose database has another owner goes on
  kPromisedFirst,       // what is to be stored first is promised
  kLateClaim,           // db-only: a claim writes although it came too late
  kDeafCore,            // db-only: a core that may have missed changes does not look for them
  kUnclaimedCseq,       // db-only: a core goes on with a group's dialogs as if it had had them
};
inline constexpr Plant kAllPlants[] = {
    Plant::kDroppedInstruction, Plant::kReusedCseq,        Plant::kAnswerBeforeCommit,
    Plant::kForgottenLimit,     Plant::kForgottenEnd,      Plant::kForgottenRequest,
    Plant::kLostWatcher,        Plant::kIdleSweep,         Plant::kLostChange,
    Plant::kMissedReset,        Plant::kIgnoredToken,      Plant::kEarlyCommit,
    Plant::kLateLimit,          Plant::kForgottenDeletion, Plant::kUnknownIsFailure,
    Plant::kFencedGoesOn,       Plant::kPromisedFirst,     Plant::kLateClaim,
    Plant::kDeafCore,           Plant::kUnclaimedCseq,
};
std::string_view NameOf(Plant plant);

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_FAULTS_H_
