#include "cli/command_line/options.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command_line/durations.h"

namespace presence::cli {
namespace {

// CLI11 knows an option by all its names; people know it by the long one.
std::string LongName(const std::string& names) { return names.substr(names.rfind("--")); }

}  // namespace

CLI::Option* AddDuration(CLI::App& app, const std::string& names,
                         std::optional<absl::Duration>& target, const std::string& help) {
  auto read = [names, &target](const std::string& text) {
    const absl::StatusOr<absl::Duration> duration = ReadDuration(text);
    if (!duration.ok()) {
      throw CLI::ValidationError(LongName(names), std::string(duration.status().message()));
    }
    target = *duration;
  };
  return app.add_option_function<std::string>(names, read, help)->option_text("DURATION");
}

void RejectChoice(const std::string& names, const std::string& value,
                  const std::vector<std::string>& choices) {
  const std::string suggestion = DidYouMean(value, choices);
  throw CLI::ValidationError(
      LongName(names), absl::StrCat("unknown value \"", value, "\"",
                                    suggestion.empty() ? absl::StrCat("; it is one of ",
                                                                      absl::StrJoin(choices, ", "))
                                                       : suggestion));
}

CLI::Option* AddArgument(CLI::App& app, const std::string& name, std::string& target,
                         const std::string& help) {
  return app.add_option(name, target, help)
      ->required()
      ->option_text(" ")
      ->check([name](const std::string& value) {
        return value.empty() ? absl::StrCat(name, " must not be empty") : std::string();
      });
}

std::string Examples(std::initializer_list<std::string> commands) {
  return absl::StrCat("Examples:\n  ", absl::StrJoin(commands, "\n  "));
}

}  // namespace presence::cli
