#include "configuration/command_line.h"

#include <ostream>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "configuration/describe.h"
#include "configuration/help_text.h"
#include "configuration/sample.h"
#include "configuration/show.h"

namespace presence {
namespace {

using google::protobuf::FieldDescriptor;

std::string FlagHelp(const ConfigKey& key) {
  return absl::StrCat(FirstSentence(CommentOf(key.field())), " [", key.name,
                      ", default: ", DefaultText(key), "]");
}

// What the program of this schema would run with, as text.
absl::StatusOr<std::string> LoadAndShow(const ConfigSchema& schema, const ConfigSources& sources,
                                        bool with_origin) {
  if (&schema == &GatewayConfigSchema()) {
    const auto loaded = LoadGatewayConfig(sources);
    if (!loaded.ok()) return loaded.status();
    return ShowConfig(schema, loaded->config, loaded->origins, with_origin);
  }
  const auto loaded = LoadCoreConfig(sources);
  if (!loaded.ok()) return loaded.status();
  return ShowConfig(schema, loaded->config, loaded->origins, with_origin);
}

}  // namespace

ConfigCommandLine::ConfigCommandLine(CLI::App& app, const ConfigSchema& schema,
                                     std::vector<std::string> events,
                                     EnvironmentVariables environment)
    : schema_(schema), events_(std::move(events)), environment_(std::move(environment)) {
  // Commands inherit it: "presence-core dev --listen ..." finds the flag of the program.
  app.fallthrough();
  app.add_option("--config", file_, "YAML file with the configuration")->type_name("FILE");
  app.add_option("--set", settings_, "Set a key; may be given again")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--help-all", help_all_, "Print every key that can be configured, and exit");
  for (const ConfigKey& key : schema.keys()) {
    if (!key.setting.flag().empty()) AddFlag(app, key);
  }
  AddConfigCommand(app);
}

void ConfigCommandLine::AddFlag(CLI::App& app, const ConfigKey& key) {
  Flag& flag = flags_.emplace_back();
  flag.key = &key;
  const std::string name = absl::StrCat("--", key.setting.flag());
  if (key.field().cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
    app.add_flag(name, flag.is_set, FlagHelp(key));
    return;
  }
  CLI::Option* option = app.add_option(name, flag.values, FlagHelp(key));
  option->type_name("VALUE")->allow_extra_args(false);
  if (!key.is_list()) option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void ConfigCommandLine::AddConfigCommand(CLI::App& app) {
  CLI::App* config = app.add_subcommand("config", "Look at the configuration, and exit");
  config->require_subcommand(1);
  show_ = config->add_subcommand("show", "Print the values in force");
  show_->add_flag("--origin", with_origin_, "Say where each value comes from");
  check_ = config->add_subcommand("check", "Look for faults only");
  sample_ = config->add_subcommand("sample", "Print a file with every key");
}

void ConfigCommandLine::Set(std::string key, std::string value, std::string where) {
  commanded_.push_back({.key = std::move(key),
                        .values = {std::move(value)},
                        .origin = {ConfigOrigin::Source::kFlag, std::move(where)}});
}

ConfigSources ConfigCommandLine::Sources() const {
  ConfigSources sources{.file = file_, .environment = environment_, .flags = {}, .events = events_};
  for (const std::string& setting : settings_) {
    std::vector<std::string> parts = absl::StrSplit(setting, absl::MaxSplits('=', 1));
    ConfigAssignment assignment{
        .key = parts[0], .origin = {ConfigOrigin::Source::kFlag, absl::StrCat("--set ", parts[0])}};
    // Without "=" there is no value, which the loader refuses, naming what is allowed.
    if (parts.size() == 2) assignment.values.push_back(std::move(parts[1]));
    sources.flags.push_back(std::move(assignment));
  }
  // A flag of its own is more particular than --set, wherever it stands.
  for (const Flag& flag : flags_) {
    if (flag.values.empty() && !flag.is_set) continue;
    sources.flags.push_back(
        {.key = flag.key->name,
         .values = flag.is_set ? std::vector<std::string>{"true"} : flag.values,
         .origin = {ConfigOrigin::Source::kFlag, absl::StrCat("--", flag.key->setting.flag())}});
  }
  sources.flags.insert(sources.flags.end(), commanded_.begin(), commanded_.end());
  return sources;
}

std::optional<int> ConfigCommandLine::RunConfigCommand(std::ostream& out, std::ostream& err) const {
  if (help_all_) {
    out << HelpSection(schema_);
    return 0;
  }
  if (sample_->parsed()) {
    out << SampleYaml(schema_, SampleValues::kCommentedOut);
    return 0;
  }
  if (show_->parsed() || check_->parsed()) return Show(out, err);
  return std::nullopt;
}

int ConfigCommandLine::Show(std::ostream& out, std::ostream& err) const {
  const absl::StatusOr<std::string> text = LoadAndShow(schema_, Sources(), with_origin_);
  if (!text.ok()) {
    err << text.status().message() << "\n";
    return kBadConfigurationExit;
  }
  if (show_->parsed()) out << *text;
  return 0;
}

}  // namespace presence
