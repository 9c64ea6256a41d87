#ifndef PRESENCE_CLI_COMMAND_LINE_DURATIONS_H_
#define PRESENCE_CLI_COMMAND_LINE_DURATIONS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace presence::cli {

// Reads "90s", "10m", "1h30m", "250ms". Errors: INVALID_ARGUMENT with the remedy, for a number
// without a unit (SIP means seconds, other tools milliseconds: we do not guess), a negative or
// endless duration.
absl::StatusOr<absl::Duration> ReadDuration(absl::string_view text);

// `duration` as ReadDuration reads it, at most two units and no finer than a second from one
// second on: "9m58s", "1h30m", "250ms", "0s".
std::string DurationText(absl::Duration duration);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_COMMAND_LINE_DURATIONS_H_
