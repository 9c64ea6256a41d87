#include "sip-gateway/transaction/branch.h"

#include <charconv>

namespace presence::sip {
namespace {

constexpr std::string_view kMagicCookie = "z9hG4bK";
constexpr std::string_view kViaLine = "\r\nVia:";
constexpr std::string_view kParameter = ";branch=";
constexpr size_t kKeyDigits = 16;
constexpr size_t kRestDigits = 8;
constexpr size_t kSize = kMagicCookie.size() + kKeyDigits + kRestDigits;

template <typename Number>
bool ReadHex(std::string_view digits, Number& number) {
  const char* const end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, number, 16);
  return result.ec == std::errc() && result.ptr == end;
}

void WriteHex(uint64_t number, char* last, size_t digits) {
  for (size_t i = 0; i < digits; ++i, number >>= 4) *last-- = "0123456789abcdef"[number & 15];
}

}  // namespace

Branch Branch::New(Random& random) {
  Branch branch;
  branch.key_ = random.Next64();
  branch.rest_ = static_cast<uint32_t>(random.Next64());
  return branch;
}

std::optional<Branch> Branch::Parse(std::string_view text) {
  if (text.size() != kSize || !text.starts_with(kMagicCookie)) return std::nullopt;
  Branch branch;
  if (!ReadHex(text.substr(kMagicCookie.size(), kKeyDigits), branch.key_)) return std::nullopt;
  if (!ReadHex(text.substr(kSize - kRestDigits), branch.rest_)) return std::nullopt;
  return branch;
}

std::optional<Branch> Branch::FindIn(std::string_view quoted) {
  // Not the first `;branch=`: that may stand in the Request-URI, which the peer chose.
  const size_t via = quoted.find(kViaLine);
  if (via == std::string_view::npos) return std::nullopt;
  const size_t found = quoted.find(kParameter, via);
  if (found == std::string_view::npos) return std::nullopt;
  return Parse(quoted.substr(found + kParameter.size(), kSize));
}

std::string Branch::ToString() const {
  std::string text(kSize, '0');
  text.replace(0, kMagicCookie.size(), kMagicCookie);
  WriteHex(key_, text.data() + kSize - kRestDigits - 1, kKeyDigits);
  WriteHex(rest_, text.data() + kSize - 1, kRestDigits);
  return text;
}

}  // namespace presence::sip
