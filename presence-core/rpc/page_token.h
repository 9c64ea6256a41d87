#ifndef PRESENCE_CORE_RPC_PAGE_TOKEN_H_
#define PRESENCE_CORE_RPC_PAGE_TOKEN_H_

#include <algorithm>
#include <cstdint>
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

// How many elements a page has when so many were asked for.
inline size_t PageSize(int32_t asked) {
  return asked <= 0 ? 100 : std::min<size_t>(static_cast<size_t>(asked), 1000);
}

// A text that tells this list from others; the paging itself is no part of it.
template <typename Request>
std::string FilterOf(const Request& request) {
  Request filter = request;
  filter.clear_page_token();
  filter.clear_page_size();
  return std::string(Request::descriptor()->name()) + filter.SerializeAsString();
}

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_PAGE_TOKEN_H_
