#ifndef PRESENCE_CONFIGURATION_YAML_SOURCE_H_
#define PRESENCE_CONFIGURATION_YAML_SOURCE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "configuration/faults.h"
#include "configuration/origin.h"
#include "configuration/schema.h"

namespace presence {

// Reads what a YAML file sets, each with the file, line and column it stands in. Keys may be nested
// ("publish:" and "max_expires:" below it) or dotted ("publish.max_expires:"), as one likes. What
// is no YAML, is not shaped like sections and values, or is set twice goes to `faults`; whether the
// keys exist and the values are right is for the loader to say.
std::vector<ConfigAssignment> ReadYaml(absl::string_view text, const std::string& file_name,
                                       const ConfigSchema& schema, ConfigFaults& faults);

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_YAML_SOURCE_H_
