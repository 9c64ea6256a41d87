#ifndef PRESENCE_CLI_COMMAND_LINE_DURATIONS_H_
#define PRESENCE_CLI_COMMAND_LINE_DURATIONS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace presence::cli {

// Reads what configuration files say, too (configuration/units.h): "90s", "10m", "1h30m", "30d".
// Errors: INVALID_ARGUMENT with the remedy, also for a number without a unit (SIP means seconds,
// other tools milliseconds: we do not guess).
absl::StatusOr<absl::Duration> ReadDuration(absl::string_view text);

// `duration` as ReadDuration reads it, at most two units and no finer than a second from one
// second on: "9m58s", "1h30m", "30d", "250ms", "0s".
std::string DurationText(absl::Duration duration);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_COMMAND_LINE_DURATIONS_H_
