// The YAML files that a migration ends in.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/kamailio/migration.h"
#include "cli/output/printable.h"
#include "configuration/schema.h"
#include "configuration/text.h"
#include "configuration/yaml_text.h"

namespace presence::cli {
namespace {

constexpr std::size_t kWidth = 100;

// "presence" of "policy.packages.presence.unknown_watcher" is one part: event names have no dot.
std::vector<std::string> Parts(const std::string& key) {
  std::vector<std::string> parts(1);
  for (const char c : key) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

bool Concerns(const MigrationRow& row, Program program) {
  if (row.keys.empty())
    return program == (row.subject == "listen" ? Program::kGateway : Program::kCore);
  return std::any_of(row.keys.begin(), row.keys.end(),
                     [program](const SuccessorKey& key) { return key.program == program; });
}

std::string Indent(std::size_t depth) { return std::string(2 * depth, ' '); }

// What comes from the script becomes one line whatever it has in it, so that it cannot end the
// comment and set a key.
std::string Comment(const std::string& text, std::size_t depth) {
  return Wrap(Printable(text), Indent(depth) + "# ", kWidth);
}

}  // namespace

std::string ConfigurationFile(const Migration& migration, Program program) {
  std::string text = Comment(
      absl::StrCat("Configuration of ", ProgramName(program),
                   ", made from a Kamailio script by presencectl migrate kamailio. What is not set "
                   "here has its default: see docs/operations/configuration.md."),
      0);
  for (const MigrationRow& row : migration.rows) {
    if (row.fate != Fate::kNeedsYou || row.is_routing || !Concerns(row, program)) continue;
    const std::string where =
        row.position ? absl::StrCat(" (", row.position->text(), ")") : std::string();
    absl::StrAppend(&text, "#\n",
                    Comment(absl::StrCat("TO DO: ", row.subject, where, ": ", row.note, "."), 0));
  }
  const ConfigSchema& schema =
      program == Program::kCore ? CoreConfigSchema() : GatewayConfigSchema();
  std::vector<std::string> open;  // the sections the last key stands in
  for (const ConfigKey& key : schema.keys()) {
    for (const NewSetting& setting : migration.settings) {
      if (setting.key.program != program) continue;
      const auto target = schema.Find(setting.key.key);
      if (!target || target->key != &key) continue;
      const std::vector<std::string> parts = Parts(setting.key.key);
      std::size_t same = 0;
      while (same < open.size() && same + 1 < parts.size() && open[same] == parts[same]) ++same;
      if (same == 0) text += "\n";
      for (std::size_t i = same; i + 1 < parts.size(); ++i) {
        absl::StrAppend(&text, Indent(i), parts[i], ":\n");
      }
      open.assign(parts.begin(), parts.end() - 1);
      absl::StrAppend(&text, Comment(setting.reason, open.size()), Indent(open.size()),
                      parts.back(), ": ", YamlValue(key, setting.values), "\n");
    }
  }
  return text;
}

}  // namespace presence::cli
