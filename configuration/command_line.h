#ifndef PRESENCE_CONFIGURATION_COMMAND_LINE_H_
#define PRESENCE_CONFIGURATION_COMMAND_LINE_H_

#include <deque>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "configuration/loader.h"
#include "configuration/schema.h"

namespace presence {

// What a program ends with when its configuration is bad.
inline constexpr int kBadConfigurationExit = 8;

// The part of a program's command line that the config protos describe: --config, --set, a flag for
// each key that has one, --help-all, and the command `config show|check|sample`. For the thread
// that starts the program.
//
//   CLI::App app("...");
//   ConfigCommandLine command_line(app, CoreConfigSchema(), events);
//   CLI11_PARSE(app, argc, argv);
//   if (const auto code = command_line.RunConfigCommand(std::cout, std::cerr)) return *code;
//   const auto loaded = LoadCoreConfig(command_line.Sources());
class ConfigCommandLine {
 public:
  // Adds the flags to `app`; they may stand before or after commands that are added later. `events`
  // as in ConfigSources.
  ConfigCommandLine(CLI::App& app, const ConfigSchema& schema, std::vector<std::string> events = {},
                    EnvironmentVariables environment = ProcessEnvironment());
  ConfigCommandLine(const ConfigCommandLine&) = delete;
  ConfigCommandLine& operator=(const ConfigCommandLine&) = delete;

  // Sets a key for a command that means a value, such as `dev`; stronger than flags. `where` says
  // what did it: "command dev".
  void Set(std::string key, std::string value, std::string where);

  // What was given, once `app` has parsed it.
  ConfigSources Sources() const;

  // Runs --help-all or `config ...` if that is what was asked for and returns the exit code: 0, or
  // kBadConfigurationExit. None: the program is to do its work.
  std::optional<int> RunConfigCommand(std::ostream& out, std::ostream& err) const;

 private:
  struct Flag {
    const ConfigKey* key = nullptr;
    std::vector<std::string> values;
    bool is_set = false;  // for a boolean
  };

  void AddFlag(CLI::App& app, const ConfigKey& key);
  void AddConfigCommand(CLI::App& app);
  int Show(std::ostream& out, std::ostream& err) const;

  const ConfigSchema& schema_;
  const std::vector<std::string> events_;
  const EnvironmentVariables environment_;
  std::string file_;
  std::vector<std::string> settings_;
  std::deque<Flag> flags_;  // CLI11 keeps addresses of its elements
  std::vector<ConfigAssignment> commanded_;
  bool help_all_ = false;
  bool with_origin_ = false;
  CLI::App* show_ = nullptr;
  CLI::App* check_ = nullptr;
  CLI::App* sample_ = nullptr;
};

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_COMMAND_LINE_H_
