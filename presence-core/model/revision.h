#ifndef PRESENCE_CORE_MODEL_REVISION_H_
#define PRESENCE_CORE_MODEL_REVISION_H_

#include <compare>
#include <cstdint>

namespace presence {

// Where the stream of a resource's states stands: `epoch` is the life of its owner, `seq` counts
// visible changes. Only rises; may skip values of seq. A value.
struct Revision {
  uint64_t epoch = 0;
  uint64_t seq = 0;

  friend bool operator==(const Revision&, const Revision&) = default;
  friend auto operator<=>(const Revision&, const Revision&) = default;
};

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_REVISION_H_
