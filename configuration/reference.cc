#include "configuration/reference.h"

#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "configuration/help_text.h"
#include "configuration/schema.h"
#include "configuration/text.h"
#include "configuration/value.h"

namespace presence {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

constexpr size_t kWidth = 110;

constexpr absl::string_view kIntro = R"(# Configuration

<!-- Made by `configuration_reference markdown` from proto/presence/v1/*config.proto. Change that file. -->

A program takes each key from the last of these that sets it:

1. the default below
2. the YAML file of `--config FILE`
3. the environment
4. flags: `--set KEY=VALUE`, or the key's own flag

An unknown key, a value that is not allowed, or values that contradict each other stop the start; every
fault is named at once, with the file, line and column or the variable or flag it comes from.
`config show --origin` after the program's name prints the values in force and where each comes from,
`config check` only looks for faults, and `config sample` prints a file with every key to start from
([presence-core.yaml](../../examples/presence-core.yaml), [sip-gateway.yaml](../../examples/sip-gateway.yaml)).

Durations are written `250ms`, `90s`, `10m`, `1h30m` or `7d`, sizes `512` (bytes), `64KiB` or `4MiB`,
lists in YAML as lists and elsewhere with commas between. In a file, keys may be nested or dotted.

A key with `<event>` in it can be set for each event package by its name, such as
`policy.packages.message-summary.unknown_watcher`; in the environment the name stands in capitals with
`_` for everything that is no letter and no digit, such as `..._PACKAGES_MESSAGE_SUMMARY_UNKNOWN_WATCHER`.
)";

// `a`, `b`
std::string CodeList(const std::vector<std::string>& names) {
  return absl::StrCat("`", absl::StrJoin(names, "`, `"), "`");
}

std::string Choices(const ConfigKey& key) {
  std::string text;
  const EnumDescriptor& type = *key.field().enum_type();
  for (int i = 1; i < type.value_count(); ++i) {
    const auto& value = *type.value(i);
    absl::StrAppend(&text, "  - `", ChoiceName(value), "`: ", CommentOf(value), "\n");
  }
  return text;
}

std::string Allowed(const ConfigKey& key) {
  if (key.field().cpp_type() != FieldDescriptor::CPPTYPE_ENUM) {
    return absl::StrCat("- Allowed: ", AllowedText(key), "\n");
  }
  return absl::StrCat("- Allowed:\n", Choices(key));
}

std::string Default(const ConfigKey& key) {
  if (key.setting.default_value().empty()) return absl::StrCat("- Default: ", key.setting.unset());
  return absl::StrCat("- Default: ",
                      CodeList(key.is_list() ? SplitList(key.setting.default_value())
                                             : std::vector{key.setting.default_value()}));
}

std::string Key(const ConfigSchema& schema, const ConfigKey& key) {
  std::string text =
      absl::StrCat("\n#### `", key.name, "`\n\n", Wrap(CommentOf(key.field()), "", kWidth), "\n",
                   Default(key), "\n", Allowed(key));
  absl::StrAppend(&text, "- Environment: `", schema.EnvironmentName(key), "`\n");
  if (!key.setting.flag().empty()) {
    absl::StrAppend(&text, "- Flag: `--", key.setting.flag(), "`\n");
  }
  if (!key.setting.replaces().empty()) {
    absl::StrAppend(&text, "- Replaces the module's `", key.setting.replaces(), "`\n");
  }
  return text;
}

std::string Program(const ConfigSchema& schema) {
  std::string text = absl::StrCat("\n## ", schema.program(), "\n");
  const FieldDescriptor* section = nullptr;
  for (const ConfigKey& key : schema.keys()) {
    const FieldDescriptor* first = key.path.front();
    if (key.path.size() > 1 && first != section) {
      section = first;
      absl::StrAppend(&text, "\n### ", section->name(), "\n\n", CommentOf(*section), "\n");
    }
    absl::StrAppend(&text, Key(schema, key));
  }
  return text;
}

// Which key does what a parameter of the Kamailio presence module did.
std::string Successors() {
  std::map<std::string, std::vector<std::string>> keys;
  for (const ConfigSchema* schema : {&CoreConfigSchema(), &GatewayConfigSchema()}) {
    for (const ConfigKey& key : schema->keys()) {
      for (absl::string_view parameter :
           absl::StrSplit(key.setting.replaces(), ", ", absl::SkipEmpty())) {
        if (key.is_per_package()) continue;
        keys[std::string(parameter)].push_back(
            absl::StrCat(schema->program(), " `", key.name, "`"));
      }
    }
  }
  std::string text =
      "\n## Parameters of the Kamailio presence module\n\n| parameter | key |\n|---|---|\n";
  for (const auto& [parameter, successors] : keys) {
    absl::StrAppend(&text, "| ", parameter, " | ", absl::StrJoin(successors, ", "), " |\n");
  }
  return text;
}

}  // namespace

std::string ConfigurationReference() {
  return absl::StrCat(kIntro, Program(CoreConfigSchema()), Program(GatewayConfigSchema()),
                      Successors());
}

}  // namespace presence
