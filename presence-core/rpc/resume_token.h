#ifndef PRESENCE_CORE_RPC_RESUME_TOKEN_H_
#define PRESENCE_CORE_RPC_RESUME_TOKEN_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "presence-core/model/revision.h"

namespace presence {

// What a watcher of several targets knows: the last revision of each, in the order of the targets,
// bound to those targets by `identity`. Opaque to callers.
std::string ToResumeToken(std::string_view identity, const std::vector<Revision>& known);

// Errors: BAD_TOKEN   not made here, or for other targets.
absl::StatusOr<std::vector<Revision>> FromResumeToken(const std::string& token,
                                                      std::string_view identity, size_t targets);

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_RESUME_TOKEN_H_
