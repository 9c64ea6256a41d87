#ifndef PRESENCE_TESTS_SIMULATION_WATCH_CHECKER_H_
#define PRESENCE_TESTS_SIMULATION_WATCH_CHECKER_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/documents.h"
#include "tests/simulation/durable_model.h"
#include "tests/simulation/history.h"
#include "tests/simulation/violation.h"

namespace presence::simulation {

// Judges what native watchers get (PresenceService.Watch): the part of HistoryChecker about them.
class WatchChecker {
 public:
  explicit WatchChecker(std::vector<Violation>& violations) : violations_(violations) {}

  void OnCoreStarted(uint64_t epoch) { epoch_ = epoch; }
  void On(const WatchAsked& asked);
  void On(const Watched& watched);
  void On(const WatchForgotten& forgotten);
  void On(const WatchEnded& ended);

  // Adds what is not as it must be once all is quiet.
  void FindUnsettled(const DurableModels& durable, std::vector<Violation>& unsettled) const;
  // How native watchers of this resource stand in its watcher information, in any order: in that of
  // the core they are connected to.
  std::multiset<std::string> WinfoLinesOf(const ResourceKey& key, const std::string& core) const;
  // What is wrong with this table of watchers, given by that core; empty when nothing is.
  std::string WrongWith(const std::map<uint64_t, std::string>& watchers, const ResourceKey& key,
                        const DurableModel& model, const std::string& core) const;

 private:
  using Target = std::pair<std::string, std::string>;  // presentity, event
  struct Seen {                                        // of one target
    std::optional<Revision> known;
    std::string state;
    // The status told in the present stream; active until something else is said.
    SubscriptionState status = SubscriptionState::kActive;
    bool was_told = false;    // anything, in the present stream
    bool may_repeat = false;  // a status came since: the same state may be shown again
    WinfoTable winfo;
  };
  struct Program {
    std::string watcher;
    std::string core;
    bool is_on = false;
    bool awaits_reset = false;
    bool has_snapshot = false;
    std::map<Target, Seen> targets;
  };

  void OnState(const Watched& watched, Seen& seen);
  void CheckTarget(const std::string& name, const Program& program, const Target& target,
                   const DurableModels& durable, std::vector<Violation>& unsettled) const;
  void Fail(Invariant invariant, std::string what);

  std::vector<Violation>& violations_;
  uint64_t epoch_ = 0;
  std::map<std::string, Program> programs_;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_WATCH_CHECKER_H_
