#ifndef PRESENCE_CORE_RPC_OWNERSHIP_H_
#define PRESENCE_CORE_RPC_OWNERSHIP_H_

#include <functional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence-core/model/error.h"

namespace presence {

// Whether no other core can own the state by now. Safe to call from any thread, cheap.
using IsOwner = std::function<bool()>;

// Asked before anything is told that no commit has confirmed: to a reader, a watcher or a gateway.
// Errors: STORAGE_UNAVAILABLE.
inline absl::Status CheckOwner(const IsOwner& is_owner) {
  if (is_owner()) return absl::OkStatus();
  return StorageUnavailable("this core is cut off from its database, and another may serve by now");
}

// Where several cores serve at once: which of them instructs the dialogs of a gateway group.
struct GatewayClaims {
  using Claimed = absl::AnyInvocable<void(absl::StatusOr<bool>)>;
  // Before a gateway is served. True where its dialogs are to be adopted, false where they never
  // left. An error sends it away. The answer may come on any thread.
  std::function<void(std::string group, std::string gateway, Claimed done)> claim;
  // When it has gone.
  std::function<void(std::string group, std::string gateway)> leave;

  bool is_needed() const { return claim != nullptr; }
};

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_OWNERSHIP_H_
