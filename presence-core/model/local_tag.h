#ifndef PRESENCE_CORE_MODEL_LOCAL_TAG_H_
#define PRESENCE_CORE_MODEL_LOCAL_TAG_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "presence-core/model/request_key.h"
#include "runtime/random.h"

namespace presence {

// Our tag of a dialog, and the id of its subscription: the hash of the resource, so that an
// in-dialog request finds its stripe, and 96 random bits, so that nobody else's request finds it. A
// value of 16 bytes; as text 32 lower-case hexadecimal digits.
class LocalTag {
 public:
  LocalTag() = default;
  static LocalTag Generate(uint32_t resource_hash, Random& random);
  // The id of a dialog that another server began: the same each time it is taken over. `dialog` is
  // a hash of what names the dialog. Whoever knows that knows this, so it is not what proves a
  // request to be in the dialog.
  static LocalTag Adopt(uint32_t resource_hash, const RequestKey& dialog);
  // Nothing for a text that is none of ours.
  static std::optional<LocalTag> Parse(std::string_view text);

  uint32_t resource_hash() const { return hash_; }
  std::string text() const;

  friend bool operator==(const LocalTag&, const LocalTag&) = default;
  friend auto operator<=>(const LocalTag&, const LocalTag&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const LocalTag& t) {
    return H::combine(std::move(h), t.low_);
  }

 private:
  uint32_t hash_ = 0;
  uint32_t high_ = 0;
  uint64_t low_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_LOCAL_TAG_H_
