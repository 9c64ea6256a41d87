#include "configuration/show.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "configuration/value.h"
#include "configuration/yaml_text.h"

namespace presence {

std::string ShownValue(const ConfigTarget& target, const google::protobuf::Message& config) {
  if (target.key->setting.secret()) return YamlScalar("***");
  return YamlValue(*target.key, *GetConfigValue(target, config));
}

std::string ShowConfig(const ConfigSchema& schema, const google::protobuf::Message& config,
                       const ConfigOrigins& origins, bool with_origin) {
  struct Line {
    std::string text;
    absl::string_view where;
  };
  std::vector<Line> lines;
  for (const ConfigKey& key : schema.keys()) {
    // A key per package stands for as many lines as there are packages that set it.
    for (const auto& [name, origin] : origins) {
      const std::optional<ConfigTarget> target = schema.Find(name);
      if (!target || target->key != &key) continue;
      lines.push_back(
          {absl::StrCat(YamlScalar(name), ": ", ShownValue(*target, config)), origin.where});
    }
  }
  size_t width = 0;
  for (const Line& line : lines) width = std::max(width, line.text.size());
  std::string text;
  for (const Line& line : lines) {
    absl::StrAppend(&text, line.text);
    if (with_origin) {
      absl::StrAppend(&text, std::string(width - line.text.size(), ' '), "  # ", line.where);
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace presence
