#ifndef PRESENCE_TESTS_UNIT_CLI_KAMAILIO_SCRIPT_FILES_H_
#define PRESENCE_TESTS_UNIT_CLI_KAMAILIO_SCRIPT_FILES_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "cli/kamailio/script.h"

namespace presence::cli {

// Scripts in memory, by name.
using ScriptFiles = std::map<std::string, std::string>;

// Reads from `files`, which must outlive it.
FileReader ReaderOf(const ScriptFiles& files);

// Reads the script "k.cfg" with this text.
absl::StatusOr<Script> Read(const std::string& text,
                            std::map<std::string, std::string> defines = {});

// The same of one that is right; loads the module presence first.
Script Presence(const std::string& text);

}  // namespace presence::cli

#endif  // PRESENCE_TESTS_UNIT_CLI_KAMAILIO_SCRIPT_FILES_H_
