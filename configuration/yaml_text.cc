#include "configuration/yaml_text.h"

#include <yaml-cpp/yaml.h>

namespace presence {

std::string YamlScalar(absl::string_view text) {
  YAML::Emitter out;
  out << std::string(text);
  return out.c_str();
}

std::string YamlValue(const ConfigKey& key, const std::vector<std::string>& values) {
  YAML::Emitter out;
  if (!key.is_list()) return YamlScalar(values.at(0));
  out << YAML::Flow << values;
  return out.c_str();
}

}  // namespace presence
