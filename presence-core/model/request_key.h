#ifndef PRESENCE_CORE_MODEL_REQUEST_KEY_H_
#define PRESENCE_CORE_MODEL_REQUEST_KEY_H_

#include <array>
#include <compare>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace presence {

// Recognizes a request that comes again: 128 bits of SHA-256 over its identifying parts. All zero
// means that the request has no identity and is new each time. A value.
struct RequestKey {
  std::array<uint8_t, 16> bytes{};

  // Each part is hashed with its length, so that ("ab","c") and ("a","bc") differ.
  static RequestKey Of(std::initializer_list<std::string_view> parts);

  bool empty() const { return bytes == std::array<uint8_t, 16>{}; }

  friend bool operator==(const RequestKey&, const RequestKey&) = default;
  friend auto operator<=>(const RequestKey&, const RequestKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const RequestKey& k) {
    return H::combine(std::move(h), k.bytes);
  }
};

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_REQUEST_KEY_H_
