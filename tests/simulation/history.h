#ifndef PRESENCE_TESTS_SIMULATION_HISTORY_H_
#define PRESENCE_TESTS_SIMULATION_HISTORY_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "presence-core/model/error.h"
#include "presence-core/storage/row_changes.h"
#include "tests/simulation/storage_mode.h"

namespace presence::simulation {

// What an observer outside the system saw, in order. The checker (history_checker.h) judges these
// and nothing else, so a history recorded elsewhere can be judged by the same rules.

struct CoreStarted {
  uint64_t epoch = 0;
  StorageMode mode = StorageMode::kScripted;
  std::string core = "core";
};
struct CoreDied {
  std::string core = "core";
};

// Rows became durable, as the storage mode means it.
struct Durable {
  RowChanges rows;
  std::string core = "core";  // that wrote them
};

// Where several cores serve: the dialogs of a gateway group are instructed by this process from now
// on. Reigns are numbered as they begin, over all groups.
struct GroupTaken {
  std::string group;
  std::string core;
  uint64_t reign = 0;
};

// With a WriteBackJournal alone: what is durable is in memory, and this is what its database is
// doing.

// A change waits for the database: it will be Durable or Dropped unless the core dies.
struct Waiting {
  RowChanges rows;
};
struct Dropped {
  ResourceKey key;
};
// Rows are in the database.
struct Stored {
  RowChanges rows;
};
// The database takes no row of this publication as it is.
struct Refused {
  ResourceKey key;
  PublicationId publication = 0;
};
// From now on the database is late or fails, or does so no more.
struct DatabaseTrouble {
  bool begins = false;
};

// Another process owns the database from now on; the core has yet to learn of it.
struct TakenOver {
  uint64_t epoch = 0;  // the new owner's
};

// A NOTIFY instruction left the notifier, whether or not it will arrive anywhere.
struct Instructed {
  std::string tag;
  uint32_t cseq = 0;
  uint64_t epoch = 0;
  uint64_t seq = 0;  // of the state it shows
  std::string event;
  bool is_terminating = false;
  std::string body;
  std::string core = "core";
  // Where several cores serve: of the gateway, and the last that the core was told of.
  std::string group = {};
  uint64_t reign = 0;
};

// Where several cores serve: what one of them holds for the state, when each has had time to hear
// of the others' changes.
struct Held {
  ResourceKey key;
  std::string state;
  std::string core;
};

// A watcher took a NOTIFY it had not had before, and answered `status`.
struct Shown {
  std::string phone;
  std::string call_id;
  std::string tag;
  uint32_t cseq = 0;
  std::string event;
  std::string state;  // first word of Subscription-State
  std::string body;
  int status = 200;
};

// A watcher has forgotten its side of all dialogs of this Call-ID.
struct Forgotten {
  std::string call_id;
};

// A phone sends a request for the first time.
struct Asked {
  std::string phone;
  std::string method;
  std::string call_id;
  uint32_t cseq = 0;
};

// A final answer reached the phone; the same request may be answered several times.
struct Answered {
  std::string phone;
  std::string method;
  std::string call_id;
  uint32_t cseq = 0;
  int status = 0;
  std::string tag;
  std::string etag;
  absl::Duration expires;
};

// The core takes up a Watch stream of a program.
struct WatchAsked {
  std::string program;
  std::string watcher;                                       // "bob@example.com"
  std::vector<std::pair<std::string, std::string>> targets;  // presentity, event
  bool resumes = false;  // with the token of the item it was given last
  std::string core = "core";
};

// A program was given an item of its stream. Heartbeats are none.
struct Watched {
  enum class Kind { kState, kStatus, kSnapshotDone, kReset };
  std::string program;
  Kind kind = Kind::kState;
  std::string presentity;
  std::string event;
  SubscriptionState state = SubscriptionState::kActive;  // kStatus
  Revision revision;                                     // kState
  NotifyCause cause = NotifyCause::kNone;                // kState
  std::string body;                                      // kState
};

// A program has forgotten everything it was given.
struct WatchForgotten {
  std::string program;
};

// A stream is over for its program: it left it (no reason), or learnt why.
struct WatchEnded {
  std::string program;
  ErrorReason reason = ErrorReason::kUnspecified;
  absl::Duration stalled;  // so long it has not been reading
};

// For the reader of a log only.
struct Note {
  std::string text;
};

struct Event {
  absl::Time at;
  std::variant<CoreStarted, CoreDied, Durable, Waiting, Dropped, Stored, Refused, DatabaseTrouble,
               TakenOver, GroupTaken, Held, Instructed, Shown, Forgotten, Asked, Answered,
               WatchAsked, Watched, WatchForgotten, WatchEnded, Note>
      what;
};

using History = std::vector<Event>;

// One line for people; `start` is the time shown as zero.
std::string ToString(const Event& event, absl::Time start);

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_HISTORY_H_
