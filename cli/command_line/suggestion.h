#ifndef PRESENCE_CLI_COMMAND_LINE_SUGGESTION_H_
#define PRESENCE_CLI_COMMAND_LINE_SUGGESTION_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace presence::cli {

// The candidate that somebody who typed `typed` most likely meant: the one fewest slips of the
// finger away (a wrong, missing, doubled or swapped letter), or the one it abbreviates. Nothing
// when none is near: a wild guess teaches less than silence. The first of equals wins.
std::optional<std::string> Nearest(absl::string_view typed,
                                   const std::vector<std::string>& candidates);

// `; did you mean "..."?` for the nearest candidate, or nothing.
std::string DidYouMean(absl::string_view typed, const std::vector<std::string>& candidates);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_COMMAND_LINE_SUGGESTION_H_
