#include "presence-core/model/local_tag.h"

#include <fmt/format.h>

#include <charconv>

namespace presence {
namespace {

template <typename T>
bool ReadHex(std::string_view digits, T& value) {
  for (char c : digits) {
    if (c >= 'A' && c <= 'F') return false;  // a tag compares by its bytes, so it has one spelling
  }
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, 16);
  return error == std::errc() && stop == end;
}

}  // namespace

LocalTag LocalTag::Generate(uint32_t resource_hash, Random& random) {
  LocalTag tag;
  tag.hash_ = resource_hash;
  tag.high_ = static_cast<uint32_t>(random.Next64() >> 32);
  tag.low_ = random.Next64();
  return tag;
}

LocalTag LocalTag::Adopt(uint32_t resource_hash, const RequestKey& dialog) {
  LocalTag tag;
  tag.hash_ = resource_hash;
  for (size_t i = 0; i < 4; ++i) tag.high_ = tag.high_ << 8 | dialog.bytes[i];
  for (size_t i = 4; i < 12; ++i) tag.low_ = tag.low_ << 8 | dialog.bytes[i];
  return tag;
}

std::optional<LocalTag> LocalTag::Parse(std::string_view text) {
  LocalTag tag;
  if (text.size() != 32 || !ReadHex(text.substr(0, 8), tag.hash_) ||
      !ReadHex(text.substr(8, 8), tag.high_) || !ReadHex(text.substr(16), tag.low_)) {
    return std::nullopt;
  }
  return tag;
}

std::string LocalTag::text() const {
  return fmt::format("{:08x}{:08x}{:016x}", hash_, high_, low_);
}

}  // namespace presence
