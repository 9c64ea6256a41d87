#include "configuration/nearest.h"

#include <algorithm>
#include <vector>

namespace presence {

size_t EditDistance(absl::string_view a, absl::string_view b) {
  // Rows of the usual table: the row before the last, the last, and the one being made.
  std::vector<size_t> older(b.size() + 1);
  std::vector<size_t> previous(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({previous[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], older[j - 2] + 1);
      }
    }
    older.swap(previous);
    previous.swap(row);
  }
  return previous[b.size()];
}

void NearestName::Offer(absl::string_view name) {
  const size_t distance = EditDistance(written_, name);
  // A third of the name may be wrong; more is another name.
  if (distance > std::max<size_t>(1, written_.size() / 3)) return;
  if (best_.empty() || distance < best_distance_) {
    best_ = std::string(name);
    best_distance_ = distance;
  }
}

}  // namespace presence
