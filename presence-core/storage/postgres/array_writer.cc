#include "presence-core/storage/postgres/array_writer.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace presence {

void ArrayWriter::Separate() {
  if (text_.size() > 1) text_ += ',';
}

void ArrayWriter::AddText(std::string_view text) {
  Separate();
  text_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void ArrayWriter::AddNumber(int64_t number) {
  Separate();
  fmt::format_to(std::back_inserter(text_), "{}", number);
}

void ArrayWriter::AddBool(bool value) {
  Separate();
  text_ += value ? 't' : 'f';
}

void ArrayWriter::AddTime(absl::Time time) {
  Separate();
  if (time == absl::InfiniteFuture()) {
    text_ += "infinity";
  } else if (time == absl::InfinitePast()) {
    text_ += "-infinity";
  } else {
    text_ += '"';
    // Four digits at least: PostgreSQL reads a shorter year as one of this century.
    text_ += absl::FormatTime("%E4Y-%m-%d %H:%M:%E6S+00", time, absl::UTCTimeZone());
    text_ += '"';
  }
}

void ArrayWriter::AddBytes(std::string_view bytes) {
  Separate();
  // Hexadecimal is the form that means the same under every setting of the server.
  constexpr std::string_view kDigits = "0123456789abcdef";
  text_ += "\"\\\\x";
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    text_ += kDigits[byte >> 4];
    text_ += kDigits[byte & 15];
  }
  text_ += '"';
}

void ArrayWriter::AddNull() {
  Separate();
  text_ += "NULL";
}

std::string ArrayWriter::Take() {
  std::string array = std::move(text_);
  array += '}';
  text_ = std::string(1, '{');
  return array;
}

}  // namespace presence
