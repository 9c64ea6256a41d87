#ifndef PRESENCE_CORE_STORAGE_GATEWAY_GROUP_H_
#define PRESENCE_CORE_STORAGE_GATEWAY_GROUP_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace presence {

// Which of the processes that share a database instructs the dialogs of a gateway group: the one
// that the group's gateways are connected to. This is what is stored of it.
struct GatewayGroup {
  std::string name;
  std::string core;     // empty: nobody ever has
  std::string address;  // of the core
  bool core_lives = false;
  // Rises each time that a core takes the group.
  uint64_t fence = 0;
  // Gateways of the group that are connected to the core, besides the one that asks.
  size_t others = 0;
};

// The groups that a core has claimed. Not thread-safe.
class GatewayGroups {
 public:
  explicit GatewayGroups(std::string core) : core_(std::move(core)) {}

  struct Claim {
    // The core takes the group from elsewhere, under the fence. Otherwise it has it already.
    bool takes = false;
    uint64_t fence = 0;
  };
  // What follows when a gateway of the group comes to the core. Errors: CORE_UNREACHABLE   another
  // core has the group, lives, and has other gateways of it; it is named.
  absl::StatusOr<Claim> Decide(const GatewayGroup& stored) const;

  // The claim is stored. True when the group's dialogs are to be adopted: the core was not told yet
  // that it has the group under this fence, be it that the answer to an earlier claim was lost.
  bool OnStored(const std::string& group, const Claim& claim);

 private:
  const std::string core_;
  std::map<std::string, uint64_t> fences_;  // told
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_GATEWAY_GROUP_H_
