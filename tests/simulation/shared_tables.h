#ifndef PRESENCE_TESTS_SIMULATION_SHARED_TABLES_H_
#define PRESENCE_TESTS_SIMULATION_SHARED_TABLES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "presence-core/storage/gateway_group.h"
#include "tests/simulation/surroundings.h"

namespace presence::simulation {

// What a database that several cores share holds besides their resources: who serves, and which
// core instructs the dialogs of which gateway group; and its channel, by which they call each
// other.
class SharedTables {
 public:
  explicit SharedTables(Surroundings& surroundings) : around_(surroundings) {}

  // ---- node
  void Serve(const std::string& core) { seen_at_[core] = around_.clock.Now(); }
  // The others that do.
  std::set<std::string> ServingWith(const std::string& core) const;

  // ---- gateway_session
  // As GatewaySessions; `life` tells the lives of a core apart.
  absl::StatusOr<GatewayGroups::Claim> Claim(const std::string& core, uint64_t life,
                                             const GatewayGroups& groups, const std::string& group,
                                             const std::string& gateway);
  void Leave(const std::string& core, const std::string& group, const std::string& gateway);
  // Of the last claim.
  uint64_t ReignOf(const std::string& group) const { return groups_.at(group).reign; }

  // ---- the channel
  using Hear = std::function<void(const std::string& payload)>;
  void Listen(const std::string& core, Hear hear) { listeners_[core] = std::move(hear); }
  void StopListening(const std::string& core) { listeners_.erase(core); }
  // To all who listen now, the sender as well.
  void Say(const std::string& payload);

 private:
  struct Group {
    std::string core;
    uint64_t life = 0;
    uint64_t reign = 0;
    uint64_t fence = 0;
    std::set<std::string> gateways;
  };

  bool Lives(const std::string& core) const;

  Surroundings& around_;
  std::map<std::string, absl::Time> seen_at_;
  std::map<std::string, Group> groups_;
  uint64_t last_reign_ = 0;
  std::map<std::string, Hear> listeners_;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_SHARED_TABLES_H_
