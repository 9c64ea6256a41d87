#include "cli/command_line/durations.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "configuration/units.h"

namespace presence::cli {
namespace {

// "36h" says more than "1d12h".
constexpr absl::Duration kFromDaysOn = absl::Hours(48);

bool IsDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return absl::ascii_isdigit(c); });
}

}  // namespace

absl::StatusOr<absl::Duration> ReadDuration(absl::string_view text) {
  if (IsDigits(text) && text != "0") {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" has no unit; did you mean \"", text, "s\"?"));
  }
  absl::StatusOr<absl::Duration> duration = ParseDuration(text);
  if (!duration.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is ", duration.status().message()));
  }
  return duration;
}

std::string DurationText(absl::Duration duration) {
  if (duration < absl::Seconds(1)) {
    return duration <= absl::ZeroDuration()
               ? "0s"
               : absl::StrCat(std::max<int64_t>(1, absl::ToInt64Milliseconds(duration)), "ms");
  }
  // Two units: what is less than the second is left off.
  absl::Duration unit = absl::Seconds(1);
  if (duration >= absl::Hours(1)) unit = absl::Minutes(1);
  if (duration >= kFromDaysOn) unit = absl::Hours(1);
  duration = absl::Floor(duration, unit);
  const absl::Duration days =
      duration >= kFromDaysOn ? absl::Floor(duration, absl::Hours(24)) : absl::ZeroDuration();
  std::string text = days > absl::ZeroDuration() ? PrintDuration(days) : "";
  if (duration > days) text += PrintDuration(duration - days);
  return text;
}

}  // namespace presence::cli
