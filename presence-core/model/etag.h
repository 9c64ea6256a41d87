#ifndef PRESENCE_CORE_MODEL_ETAG_H_
#define PRESENCE_CORE_MODEL_ETAG_H_

#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/random.h"

namespace presence {

// Entity-tag of a publication (RFC 3903 §4.1): a token that changes with every accepted request and
// that nobody can guess. A value; any token may be asked for, ours have 96 random bits.
class Etag {
 public:
  Etag() = default;
  explicit Etag(std::string text) : text_(std::move(text)) {}
  static Etag Generate(Random& random);

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

  friend bool operator==(const Etag&, const Etag&) = default;
  friend auto operator<=>(const Etag&, const Etag&) = default;

 private:
  std::string text_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_ETAG_H_
