#include "tests/simulation/shared_tables.h"

namespace presence::simulation {

bool SharedTables::Lives(const std::string& core) const {
  const auto it = seen_at_.find(core);
  return it != seen_at_.end() && it->second + kLeaseLifetime > around_.clock.Now();
}

std::set<std::string> SharedTables::ServingWith(const std::string& core) const {
  std::set<std::string> others;
  for (const auto& [name, seen_at] : seen_at_) {
    if (name != core && Lives(name)) others.insert(name);
  }
  return others;
}

absl::StatusOr<GatewayGroups::Claim> SharedTables::Claim(const std::string& core, uint64_t life,
                                                         const GatewayGroups& groups,
                                                         const std::string& group,
                                                         const std::string& gateway) {
  Group& stored = groups_[group];
  const size_t others = stored.gateways.size() - stored.gateways.count(gateway);
  const auto claim =
      groups.Decide({group, stored.core, stored.core, Lives(stored.core), stored.fence, others});
  if (!claim.ok()) return claim;
  if (claim->takes) stored.gateways.clear();
  stored.gateways.insert(gateway);
  stored.fence = claim->fence;
  if (claim->takes || stored.life != life) {
    stored.core = core;
    stored.life = life;
    stored.reign = ++last_reign_;
    around_.Record(GroupTaken{group, core, stored.reign});
  }
  return claim;
}

void SharedTables::Leave(const std::string& core, const std::string& group,
                         const std::string& gateway) {
  const auto it = groups_.find(group);
  if (it != groups_.end() && it->second.core == core) it->second.gateways.erase(gateway);
}

void SharedTables::Say(const std::string& payload) {
  for (const auto& [core, hear] : listeners_) hear(payload);
}

}  // namespace presence::simulation
