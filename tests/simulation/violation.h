#ifndef PRESENCE_TESTS_SIMULATION_VIOLATION_H_
#define PRESENCE_TESTS_SIMULATION_VIOLATION_H_

#include <string>
#include <string_view>

namespace presence::simulation {

// What the system promises, whatever fails.
enum class Invariant {
  kLastState,  // the last durable state reaches every live watcher
  kCseq,       // CSeq steps by one in an owner's life, never repeats, never falls
  kVersion,    // so does the version of watcher information; after a gap the document is full
  kAnsweredByNotify,  // a SUBSCRIBE that was answered 200 is followed by a NOTIFY
  kAfterEnd,          // nothing follows a terminating NOTIFY
  kWinfo,             // watcher information agrees with the subscriptions
  kRepeated,          // a repeated request changes nothing and gets the same answer
  kDurableFirst,      // no answer before the commit, and what was answered stays
  kExpiry,            // what has expired goes within a second
  kResume,            // a resumed Watch repeats nothing and misses no reset
  kBounded,           // a Watch that is read never outgrows its queue
  kShown,             // a NOTIFY shows a state that was durable in this life of the core
  kFlushed,           // write-back: the database holds a whole state, no older than promised
  kFenced,            // whoever does not own the database any more instructs no more
};
std::string_view NameOf(Invariant invariant);

struct Violation {
  Invariant invariant;
  std::string what;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_VIOLATION_H_
