#include "configuration/describe.h"

#include "absl/strings/str_cat.h"
#include "configuration/help_text.h"
#include "configuration/text.h"
#include "configuration/value.h"

namespace presence {
namespace {

constexpr size_t kWidth = 100;

}  // namespace

std::string DefaultText(const ConfigKey& key) {
  return key.setting.default_value().empty() ? key.setting.unset() : key.setting.default_value();
}

std::string HelpSection(const ConfigSchema& schema) {
  std::string text = absl::StrCat(
      "Keys, for --set KEY=VALUE, for the YAML file of --config, and in capitals with \"_\" for "
      "\".\" "
      "after ",
      schema.environment_prefix(), " for the environment:\n");
  text = Wrap(text, "", kWidth);
  for (const ConfigKey& key : schema.keys()) {
    absl::StrAppend(
        &text, "\n  ", key.name, "\n", Wrap(CommentOf(key.field()), "      ", kWidth),
        Wrap(absl::StrCat("Default: ", DefaultText(key), ". Allowed: ", AllowedText(key), "."),
             "      ", kWidth));
  }
  return text;
}

}  // namespace presence
