#include "configuration/units.h"

#include <limits>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace presence {
namespace {

struct Unit {
  absl::string_view name;
  int64_t milliseconds;
};
// Larger first, the order in which a duration is written.
constexpr Unit kUnits[] = {
    {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};

// Longer than any key allows; keeps sums of parts far from overflow.
constexpr int64_t kLongest = 36'500 * kUnits[0].milliseconds;

struct SizeUnit {
  absl::string_view name;
  uint64_t bytes;
};
constexpr SizeUnit kSizeUnits[] = {{"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}};

// Takes the digits at the start of `text`; false when there are none or too many.
template <typename Int>
bool ConsumeNumber(absl::string_view& text, Int& value) {
  size_t digits = 0;
  while (digits < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[digits]))) {
    ++digits;
  }
  if (!absl::SimpleAtoi(text.substr(0, digits), &value)) return false;
  text.remove_prefix(digits);
  return true;
}

// Takes the letters at the start of `text`.
absl::string_view ConsumeUnit(absl::string_view& text) {
  size_t letters = 0;
  while (letters < text.size() && absl::ascii_isalpha(static_cast<unsigned char>(text[letters]))) {
    ++letters;
  }
  const absl::string_view unit = text.substr(0, letters);
  text.remove_prefix(letters);
  return unit;
}

absl::Status NotADuration() {
  return absl::InvalidArgumentError("not a duration; write 250ms, 90s, 10m, 1h30m or 7d");
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  if (text == "0") return absl::ZeroDuration();
  if (text.empty()) return NotADuration();
  int64_t total = 0;
  const Unit* allowed = std::begin(kUnits);
  while (!text.empty()) {
    int64_t number = 0;
    if (!ConsumeNumber(text, number)) return NotADuration();
    const absl::string_view name = ConsumeUnit(text);
    while (allowed != std::end(kUnits) && allowed->name != name) ++allowed;
    if (allowed == std::end(kUnits)) return NotADuration();
    if (number > (kLongest - total) / allowed->milliseconds) {
      return absl::InvalidArgumentError("too long; at most 100 years");
    }
    total += number * allowed->milliseconds;
    ++allowed;
  }
  return absl::Milliseconds(total);
}

std::string PrintDuration(absl::Duration duration) {
  int64_t rest = absl::ToInt64Milliseconds(duration);
  if (rest == 0) return "0s";
  std::string text;
  for (const Unit& unit : kUnits) {
    // "24h" and "36h" say more than "1d" and "1d12h".
    if (unit.name == "d" && (rest % unit.milliseconds != 0 || rest < 2 * unit.milliseconds)) {
      continue;
    }
    const int64_t number = rest / unit.milliseconds;
    rest %= unit.milliseconds;
    if (number > 0) absl::StrAppend(&text, number, unit.name);
  }
  return text;
}

absl::StatusOr<uint64_t> ParseSize(absl::string_view text) {
  const absl::Status bad =
      absl::InvalidArgumentError("not a size; write a number of bytes, or 64KiB, 4MiB, 1GiB");
  uint64_t number = 0;
  if (!ConsumeNumber(text, number)) return bad;
  if (text.empty()) return number;
  for (const SizeUnit& unit : kSizeUnits) {
    if (text != unit.name) continue;
    if (number > std::numeric_limits<uint64_t>::max() / unit.bytes) {
      return absl::InvalidArgumentError("too large a size");
    }
    return number * unit.bytes;
  }
  return bad;
}

std::string PrintSize(uint64_t bytes) {
  for (const SizeUnit& unit : kSizeUnits) {
    if (bytes >= unit.bytes && bytes % unit.bytes == 0) {
      return absl::StrCat(bytes / unit.bytes, unit.name);
    }
  }
  return absl::StrCat(bytes);
}

}  // namespace presence
