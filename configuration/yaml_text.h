#ifndef PRESENCE_CONFIGURATION_YAML_TEXT_H_
#define PRESENCE_CONFIGURATION_YAML_TEXT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "configuration/schema.h"

namespace presence {

// `text` as YAML writes it: as it is where it reads back the same, else in double quotes.
std::string YamlScalar(absl::string_view text);

// The values of a key: "1h", or for a list "[a.example, b.example]".
std::string YamlValue(const ConfigKey& key, const std::vector<std::string>& values);

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_YAML_TEXT_H_
