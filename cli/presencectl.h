#ifndef PRESENCE_CLI_PRESENCECTL_H_
#define PRESENCE_CLI_PRESENCECTL_H_

#include <string>
#include <vector>

#include "cli/environment.h"
#include "cli/exit_code.h"

namespace presence::cli {

// Runs the command line `args`, without the program's name, and returns what to tell the shell.
// Everything it reads and prints goes through `environment`.
ExitCode RunPresencectl(const std::vector<std::string>& args, Environment& environment);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_PRESENCECTL_H_
