#ifndef PRESENCE_CONFIGURATION_ORIGIN_H_
#define PRESENCE_CONFIGURATION_ORIGIN_H_

#include <string>
#include <vector>

#include "absl/container/btree_map.h"

namespace presence {

// Where a value comes from. The order is that of precedence: later ones win.
struct ConfigOrigin {
  enum class Source { kDefault, kDevMode, kFile, kEnvironment, kFlag };
  Source source = Source::kDefault;
  // For people: "default", "presence.yaml:12:5", "PRESENCE_CORE_LISTEN", "--listen".
  std::string where = "default";
};

// One key set by one source, not looked at yet.
struct ConfigAssignment {
  std::string key = {};
  std::vector<std::string> values = {};
  // True where the source wrote a list; false where it wrote one text, which for a list key is its
  // values with commas between.
  bool is_list = false;
  ConfigOrigin origin = {};
};

// By full key name; every key that has a value is in it.
using ConfigOrigins = absl::btree_map<std::string, ConfigOrigin>;

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_ORIGIN_H_
