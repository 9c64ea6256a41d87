#ifndef PRESENCE_CLI_COMMAND_LINE_SHELL_WORDS_H_
#define PRESENCE_CLI_COMMAND_LINE_SHELL_WORDS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace presence::cli {

// `word` as a POSIX shell reads it back unchanged; quoted only where it must be. Commands that
// presencectl prints for copying hold text from the network (addresses, entity-tags), which must
// stay one harmless word.
std::string ShellQuote(absl::string_view word);

// `words` quoted and joined to one command line.
std::string ShellCommand(const std::vector<std::string>& words);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_COMMAND_LINE_SHELL_WORDS_H_
