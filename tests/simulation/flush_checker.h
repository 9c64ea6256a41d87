#ifndef PRESENCE_TESTS_SIMULATION_FLUSH_CHECKER_H_
#define PRESENCE_TESTS_SIMULATION_FLUSH_CHECKER_H_

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/durable_model.h"
#include "tests/simulation/history.h"
#include "tests/simulation/violation.h"

namespace presence::simulation {

// Judges what write-back puts into its database: the part of HistoryChecker about it. It knows
// every state that each resource has been in since its last flush, and so which of them a crash may
// bring back: the one that the database holds, whole, and not older than the flush interval. Of a
// kind that is stored first it may cost nothing.
class FlushChecker {
 public:
  explicit FlushChecker(std::vector<Violation>& violations) : violations_(violations) {}

  // A new life, in which these kinds are stored first: returns what it finds.
  DurableModels OnCoreStarted(absl::Time at, StateKinds stored_first = StateKinds::None());
  void OnCoreDied(absl::Time at);
  void On(const Durable& durable, absl::Time at);
  void On(const Waiting& waiting);
  void On(const Dropped& dropped) { resources_[dropped.key].waiting.reset(); }
  void On(const Stored& stored, absl::Time at);
  void On(const Refused& refused);
  void On(const DatabaseTrouble& trouble, absl::Time at);
  // Nothing can be stored from now on.
  void OnTakenOver(absl::Time at) { taken_over_at_ = std::min(taken_over_at_, at); }

  // Adds what should have been flushed by now.
  void FindUnsettled(absl::Time now, std::vector<Violation>& unsettled) const;

  // Whether it was in the database at any time.
  bool WasStored(const std::string& etag) const { return stored_etags_.contains(etag); }
  // The highest CSeq of a SUBSCRIBE of this dialog that was; 0 for none.
  uint32_t StoredCseq(const std::string& tag) const;

 private:
  struct State {
    DurableModel model;
    absl::Time since;
  };
  struct Resource {
    DurableModel stored;
    // What it has been since; the first is what is stored.
    std::deque<State> states{State()};
    std::optional<DurableModel> waiting;
    std::set<PublicationId> refused;
    // A row was refused, so those of the states up to here may come one by one.
    std::optional<absl::Time> in_pieces_until;
  };

  static bool IsStored(const DurableModel& model, const Resource& resource);
  static bool DropOlder(Resource& resource);
  void CheckStoredFirst(const ResourceKey& key, const Resource& resource);
  absl::Duration Overdue(const Resource& resource, absl::Time now) const;
  void CheckAges(absl::Time now);

  std::vector<Violation>& violations_;
  bool is_core_alive_ = false;
  StateKinds stored_first_ = StateKinds::None();
  absl::Time taken_over_at_ = absl::InfiniteFuture();
  std::map<ResourceKey, Resource> resources_;
  std::set<std::string> stored_etags_;
  std::map<std::string, uint32_t> stored_cseqs_;
  // When the database was late or failed.
  std::vector<std::pair<absl::Time, absl::Time>> troubles_;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_FLUSH_CHECKER_H_
