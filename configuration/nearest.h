#ifndef PRESENCE_CONFIGURATION_NEAREST_H_
#define PRESENCE_CONFIGURATION_NEAREST_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace presence {

// How many characters must be inserted, removed, replaced or swapped with their neighbour to make
// one of the other.
size_t EditDistance(absl::string_view a, absl::string_view b);

// Picks, of the names offered, the one that somebody who wrote `written` probably meant.
class NearestName {
 public:
  explicit NearestName(absl::string_view written) : written_(written) {}

  void Offer(absl::string_view name);

  // Empty when nothing offered is near enough to be worth suggesting.
  const std::string& best() const { return best_; }

 private:
  const std::string written_;
  std::string best_;
  size_t best_distance_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_NEAREST_H_
