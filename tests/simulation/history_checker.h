#ifndef PRESENCE_TESTS_SIMULATION_HISTORY_CHECKER_H_
#define PRESENCE_TESTS_SIMULATION_HISTORY_CHECKER_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/simulation/history.h"

namespace presence::simulation {

// What the system promises, whatever fails.
enum class Invariant {
  kLastState,     // the last durable state reaches every live watcher
  kCseq,          // CSeq steps by one in an owner's life, never repeats, never falls
  kVersion,       // so does the version of watcher information; after a gap the document is full
  kAfterEnd,      // nothing follows a terminating NOTIFY
  kWinfo,         // watcher information agrees with the subscriptions
  kRepeated,      // a repeated request changes nothing and gets the same answer
  kDurableFirst,  // no answer before the commit, and what was answered stays
  kExpiry,        // what has expired goes within a second
};
std::string_view NameOf(Invariant invariant);

struct Violation {
  Invariant invariant;
  std::string what;
};

// Judges a history, event by event. It keeps a model of its own of what is durable, made of the
// Durable events alone, and of what each watcher shows, made of the Shown events alone.
class HistoryChecker {
 public:
  void OnEvent(const Event& event);

  // Broken for good: nothing that comes later can mend these.
  const std::vector<Violation>& violations() const { return violations_; }

  // What is not as it must be once faults have stopped and time has passed. Empty: all is well.
  std::vector<Violation> Unsettled(absl::Time now) const;

 private:
  struct Model {  // of one resource
    std::map<PublicationId, PublicationPtr> publications;
    std::map<LocalTag, SubscriptionPtr> subscriptions;
    std::map<std::string, WatcherRecordPtr> watchers;
  };
  struct Said {  // by the core in one dialog
    uint64_t epoch = 0;
    uint32_t cseq = 0;
    uint64_t seq = 0;
    bool is_terminating = false;
    std::optional<uint32_t> version;
  };
  struct Seen {  // by a watcher in one dialog
    uint32_t cseq = 0;
    std::string state;
    std::string body;
    bool is_ended = false;
    std::map<uint32_t, std::string> by_cseq;
    std::optional<uint32_t> version;
    std::map<uint64_t, std::string> watchers;  // of a winfo dialog: merged full and partial
    bool was_shown = false;
  };
  struct Standing {  // the publication a phone has been promised
    std::string etag;
    absl::Time until;
  };
  using Request = std::tuple<std::string, uint32_t, std::string>;  // Call-ID, CSeq, method

  void On(const Durable& durable);
  void On(const Instructed& instructed);
  void On(const Shown& shown);
  void On(const Answered& answered, absl::Time at);
  void OnWinfo(const Shown& shown, Seen& seen);
  void CheckRepetitions(const ResourceKey& key, const Model& model);

  void CheckWatcher(const Model& model, const Subscription& row, absl::Time now,
                    std::vector<Violation>& unsettled) const;
  void CheckExpiry(const Model& model, absl::Time now, std::vector<Violation>& unsettled) const;
  void Fail(Invariant invariant, std::string what);

  std::vector<Violation> violations_;
  std::map<ResourceKey, Model> durable_;
  std::set<std::string> durable_etags_;                  // of all times
  std::map<std::string, uint32_t> durable_remote_cseq_;  // of all times, by tag
  std::map<std::string, Said> said_;
  std::map<std::string, Seen> seen_;
  std::set<std::string> forgotten_;  // Call-IDs
  std::map<Request, Answered> answered_;
  std::map<std::string, Standing> standing_;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_HISTORY_CHECKER_H_
