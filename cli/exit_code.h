#ifndef PRESENCE_CLI_EXIT_CODE_H_
#define PRESENCE_CLI_EXIT_CODE_H_

namespace presence::cli {

// What presencectl tells the shell. The numbers are a contract with scripts: documented in
// `presencectl --help`, never renumbered.
enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,            // the command line, or a value on it, is wrong
  kNotFoundOrFalse = 3,  // asked for something that is not there, or a question answered no
  kUnreachable = 4,      // no server, or a server that cannot serve now
  kDenied = 5,
  kConflict = 6,  // the state is not what the command took it for
  kTimeout = 7,
  kBadConfiguration = 8,  // the environment, not the command line, is wrong
  kInterrupted = 130,     // as shells number the end by SIGINT
};

}  // namespace presence::cli

#endif  // PRESENCE_CLI_EXIT_CODE_H_
