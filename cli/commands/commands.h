#ifndef PRESENCE_CLI_COMMANDS_COMMANDS_H_
#define PRESENCE_CLI_COMMANDS_COMMANDS_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/connection/session.h"
#include "cli/exit_code.h"

namespace presence::cli {

// What parsing decided to run. Commands run after the parse, not inside it: CLI11's exceptions then
// never cross them, and a session is made only for a command line that is right.
struct Chosen {
  std::function<ExitCode(Session&)> run;
};

// A command under `parent` that runs `run` with its options, which CLI11 fills and which live as
// long as it.
template <typename Options>
std::pair<CLI::App*, std::shared_ptr<Options>> NewCommand(
    CLI::App& parent, const std::string& name, const std::string& description, Chosen& chosen,
    ExitCode (*run)(const Options&, Session&)) {
  auto options = std::make_shared<Options>();
  CLI::App* command = parent.add_subcommand(name, description);
  command->final_callback([options, run, &chosen] {
    chosen.run = [options, run](Session& session) { return run(*options, session); };
  });
  return {command, options};
}

// The --event option of every command that takes one event package.
CLI::Option* AddEvent(CLI::App& command, std::string& event);

// The content of a file; "-" is standard input. Errors: NOT_FOUND.
absl::StatusOr<std::string> ReadDocument(const std::string& file, Session& session);

// The commands, one function a noun. Each adds what `presencectl` calls it to `root`.
void AddPublish(CLI::App& root, Chosen& chosen);
void AddUnpublish(CLI::App& root, Chosen& chosen);
void AddWatch(CLI::App& root, Chosen& chosen);
void AddState(CLI::App& root, Chosen& chosen);
void AddPresentity(CLI::App& root, Chosen& chosen);
void AddSubscription(CLI::App& root, Chosen& chosen);
void AddWatcher(CLI::App& root, Chosen& chosen);
void AddAuthorization(CLI::App& root, Chosen& chosen);
void AddRefreshWatchers(CLI::App& root, Chosen& chosen);
void AddRules(CLI::App& root, Chosen& chosen);
void AddUpdateWatchers(CLI::App& root, Chosen& chosen);
void AddCleanup(CLI::App& root, Chosen& chosen);
void AddMigrate(CLI::App& root, Chosen& chosen);
void AddVersion(CLI::App& root, Chosen& chosen);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_COMMANDS_COMMANDS_H_
