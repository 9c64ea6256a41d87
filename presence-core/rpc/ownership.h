#ifndef PRESENCE_CORE_RPC_OWNERSHIP_H_
#define PRESENCE_CORE_RPC_OWNERSHIP_H_

#include <functional>

#include "absl/status/status.h"
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

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_OWNERSHIP_H_
