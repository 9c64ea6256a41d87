#ifndef PRESENCE_CONFIGURATION_FAULTS_H_
#define PRESENCE_CONFIGURATION_FAULTS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace presence {

// Everything that is wrong with a configuration: people want to see all of it at once, and not the
// first thing, then the next. Not thread-safe.
class ConfigFaults {
 public:
  // `where` as ConfigOrigin has it.
  void Add(absl::string_view where, absl::string_view what) {
    std::string line = absl::StrCat(where, ": ", what);
    // One mistake in a section may be met again in each of its event packages.
    if (!absl::c_linear_search(lines_, line)) lines_.push_back(std::move(line));
  }
  bool empty() const { return lines_.empty(); }

  // OK, or InvalidArgument with one line for each fault, in the order found.
  absl::Status status() const {
    if (lines_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(lines_, "\n"));
  }

 private:
  std::vector<std::string> lines_;
};

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_FAULTS_H_
