#ifndef PRESENCE_TESTS_SIMULATION_HISTORY_H_
#define PRESENCE_TESTS_SIMULATION_HISTORY_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "presence-core/storage/row_changes.h"

namespace presence::simulation {

// What an observer outside the system saw, in order. The checker (history_checker.h) judges these
// and nothing else, so a history recorded elsewhere can be judged by the same rules.

struct CoreStarted {
  uint64_t epoch = 0;
};
struct CoreDied {};

// Rows became durable.
struct Durable {
  RowChanges rows;
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

// For the reader of a log only.
struct Note {
  std::string text;
};

struct Event {
  absl::Time at;
  std::variant<CoreStarted, CoreDied, Durable, Instructed, Shown, Forgotten, Asked, Answered, Note>
      what;
};

using History = std::vector<Event>;

// One line for people; `start` is the time shown as zero.
std::string ToString(const Event& event, absl::Time start);

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_HISTORY_H_
