#include "presence-core/packages/presence/timestamp.h"

#include <charconv>
#include <cstddef>
#include <optional>

namespace presence {
namespace {

// Takes a text apart from the front; every step fails once nothing fits.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // A number of exactly `digits` digits between the bounds.
  std::optional<int> Number(size_t digits, int low, int high) {
    int value = 0;
    if (rest_.size() < digits) return std::nullopt;
    const char* end = rest_.data() + digits;
    const auto [stop, error] = std::from_chars(rest_.data(), end, value);
    if (error != std::errc() || stop != end || value < low || value > high || rest_[0] == '-') {
      return std::nullopt;
    }
    rest_.remove_prefix(digits);
    return value;
  }

  bool Digits() {
    const size_t count = rest_.find_first_not_of("0123456789");
    if (count == 0 || rest_.empty()) return false;
    rest_.remove_prefix(count == std::string_view::npos ? rest_.size() : count);
    return true;
  }

  bool is_at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

int DaysIn(int year, int month) {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool TakeDate(Cursor& cursor) {
  const auto year = cursor.Number(4, 0, 9999);
  if (!year.has_value() || !cursor.Take('-')) return false;
  const auto month = cursor.Number(2, 1, 12);
  if (!month.has_value() || !cursor.Take('-')) return false;
  return cursor.Number(2, 1, DaysIn(*year, *month)).has_value();
}

bool TakeTime(Cursor& cursor) {
  // A minute may have a 61st second (RFC 3339 §5.7).
  if (!cursor.Number(2, 0, 23) || !cursor.Take(':') || !cursor.Number(2, 0, 59) ||
      !cursor.Take(':') || !cursor.Number(2, 0, 60)) {
    return false;
  }
  return !cursor.Take('.') || cursor.Digits();
}

bool TakeOffset(Cursor& cursor) {
  if (cursor.Take('Z')) return true;
  if (!cursor.Take('+') && !cursor.Take('-')) return false;
  return cursor.Number(2, 0, 23) && cursor.Take(':') && cursor.Number(2, 0, 59);
}

}  // namespace

bool IsTimestamp(std::string_view text) {
  Cursor cursor(text);
  return TakeDate(cursor) && cursor.Take('T') && TakeTime(cursor) && TakeOffset(cursor) &&
         cursor.is_at_end();
}

}  // namespace presence
