#ifndef PRESENCE_TESTS_SIMULATION_CORE_PEERS_H_
#define PRESENCE_TESTS_SIMULATION_CORE_PEERS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "presence-core/engine/engine.h"
#include "presence-core/rpc/ownership.h"
#include "presence-core/storage/lease_term.h"
#include "presence-core/storage/shared_changes.h"
#include "tests/simulation/core_storage.h"
#include "tests/simulation/database.h"
#include "tests/simulation/shared_tables.h"
#include "tests/simulation/surroundings.h"

namespace presence::simulation {

// What one core has to do with the others that share its database: what LeaseKeeper, ChangeSignal
// and GatewaySessions do over PostgreSQL, each with a connection of its own that fails by itself.
// What these make of what comes over it is production code (storage/lease_term.h and its like).
class CorePeers {
 public:
  CorePeers(Surroundings& surroundings, ProcessExecutor& process, Database& database,
            SharedTables& tables, std::string core);

  // A life begins: it takes the lease. In a mode without others nothing of this does anything.
  void Begin();
  // Its engine has been started: it hears the others from now on.
  void Listen(Engine& engine, CoreStorage& storage);
  void End();

  // Whether it may tell what no commit has confirmed.
  bool IsSure() const;
  // This core has changed these.
  void OnClaimed(const std::vector<ResourceKey>& keys);
  GatewayClaims Claims();
  // The number of the reign over this group that the core was told of last.
  uint64_t ReignOver(const std::string& group) const;

  // The connection over which it listens breaks; it comes back by itself.
  void StopHearing();

 private:
  void Renew();
  void Tick();
  void SayAfter(absl::Duration pause);
  void Say();
  void Hear(const std::string& payload);
  void StartHearing();
  void LookAtEverything();
  // What the thread of GatewaySessions is asked, in its turn.
  void Ask(Task task);
  void Claim(const std::string& group, const std::string& gateway, GatewayClaims::Claimed done);

  Surroundings& around_;
  ProcessExecutor& process_;
  Database& database_;
  SharedTables& tables_;
  const std::string core_;

  // Of one life.
  uint64_t life_ = 0;
  std::unique_ptr<LeaseTerm> term_;
  std::unique_ptr<ChangesToSay> unsaid_;
  Engine* engine_ = nullptr;
  CoreStorage* storage_ = nullptr;
  uint64_t connections_ = 0;  // over which it has listened, ever
  uint64_t hearing_ = 0;      // number of the present one, 0 for none
  absl::Time listens_from_;   // it is busy until then
  absl::Time asks_from_;
  std::unique_ptr<GatewayGroups> groups_;
  std::map<std::string, uint64_t> reigns_;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_CORE_PEERS_H_
