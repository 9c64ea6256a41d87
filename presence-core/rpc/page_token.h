#ifndef PRESENCE_CORE_RPC_PAGE_TOKEN_H_
#define PRESENCE_CORE_RPC_PAGE_TOKEN_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "presence-core/engine/listing.h"

namespace presence {

// Page tokens are opaque to callers: a cursor, bound to the list it was made for by a hash of its
// filter. `filter` is any text that says which list it is.
std::string ToPageToken(const std::optional<Cursor>& cursor, std::string_view filter);

// No cursor for an empty token. Errors: BAD_TOKEN   not made here, or for another list.
absl::StatusOr<std::optional<Cursor>> FromPageToken(const std::string& token,
                                                    std::string_view filter);

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_PAGE_TOKEN_H_
