#ifndef PRESENCE_CONFIGURATION_UNITS_H_
#define PRESENCE_CONFIGURATION_UNITS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace presence {

// How configuration files, flags and presencectl write quantities. What is printed reads back as
// the same value.

// "90s", "10m", "1h30m", "250ms", "30d", "0": numbers with units, larger units first, whole
// milliseconds. Errors: InvalidArgument, with what was expected.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);
std::string PrintDuration(absl::Duration duration);

// "512", "64KiB", "4MiB", "1GiB": bytes. Errors: InvalidArgument, with what was expected.
absl::StatusOr<uint64_t> ParseSize(absl::string_view text);
std::string PrintSize(uint64_t bytes);

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_UNITS_H_
