#ifndef PRESENCE_CLI_COMMAND_LINE_ARGUMENT_ORDER_H_
#define PRESENCE_CLI_COMMAND_LINE_ARGUMENT_ORDER_H_

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/status/status.h"

namespace presence::cli {

// A command line, looked over.
struct OrderedArguments {
  // Not OK: a word that is not known, with the nearest one that is; or a group of commands without
  // its command.
  absl::Status status;
  // Global options first, then the command and its arguments, for CLI::App::parse (which wants them
  // reversed). Whole only with an OK status.
  std::vector<std::string> words;
  // The command they name, as far as it could be made out; the root when they name none.
  const CLI::App* command = nullptr;
};

// Checks every command and option of `args` (without the program's name) against the tree under
// `root`.
//
// It is a layer of its own in front of CLI11 2.1 for two reasons. CLI11 answers a mistyped command
// with "A subcommand is required" and cannot suggest one. And global options after a command need
// its fallthrough, under which an argument that equals a command's name, such as a user called
// `watch`, is taken for that command; here they are moved to the front instead.
// Values are left to CLI11.
OrderedArguments OrderArguments(const CLI::App& root, const std::vector<std::string>& args);

// The words that call `command`, such as "presencectl watcher approve".
std::string CommandPath(const CLI::App& command);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_COMMAND_LINE_ARGUMENT_ORDER_H_
