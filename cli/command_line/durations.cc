#include "cli/command_line/durations.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace presence::cli {
namespace {

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
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not a duration; write it as 90s, 10m or 1h30m"));
  }
  if (duration < absl::ZeroDuration() || duration == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" must be a finite time, not below 0s"));
  }
  return duration;
}

std::string DurationText(absl::Duration duration) {
  if (duration < absl::Seconds(1)) {
    return duration <= absl::ZeroDuration()
               ? "0s"
               : absl::StrCat(std::max<int64_t>(1, absl::ToInt64Milliseconds(duration)), "ms");
  }
  const int64_t seconds = absl::ToInt64Seconds(duration);
  const int64_t days = seconds / 86400, hours = seconds / 3600 % 24, minutes = seconds / 60 % 60;
  // absl knows no days, so the hours of days are written as hours: it reads back as it was.
  if (days > 0 || hours > 0) {
    return absl::StrCat(days * 24 + hours, "h", minutes > 0 ? absl::StrCat(minutes, "m") : "");
  }
  const int64_t rest = seconds % 60;
  if (minutes > 0) return absl::StrCat(minutes, "m", rest > 0 ? absl::StrCat(rest, "s") : "");
  return absl::StrCat(rest, "s");
}

}  // namespace presence::cli
