#ifndef PRESENCE_CLI_KAMAILIO_SCRIPT_H_
#define PRESENCE_CLI_KAMAILIO_SCRIPT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/kamailio/scanner.h"
#include "cli/kamailio/token.h"

namespace presence::cli {

// The value of a module parameter.
struct ScriptValue {
  std::string text;  // as written, "-5" or "postgres://..."
  bool is_number = false;
  int64_t number = 0;
  ScriptPosition position;
};

// Something a script has, and where.
struct ScriptFact {
  std::string text;
  ScriptPosition position;

  friend bool operator==(const ScriptFact&, const ScriptFact&) = default;
};

// What of a Kamailio script matters to presence. A value.
struct Script {
  // Modules by name, "presence", in the order of loading.
  std::vector<ScriptFact> modules;
  // Parameters by module and name; the last modparam of each.
  std::map<std::string, std::map<std::string, ScriptValue>> parameters;
  // Functions, RPC commands, variables and event routes of the presence module that the script
  // uses, once a place: "handle_publish", "presence.cleanup", "$subs(uri)", "$notify_reply($rs)",
  // "event_route[presence:notify-reply]".
  std::vector<ScriptFact> uses;
  // Values of `listen` and names of `alias`.
  std::vector<ScriptFact> listeners;
  std::vector<ScriptFact> aliases;
  // Set when routing is in another language (`cfgengine`), which is not read.
  std::vector<ScriptFact> engines;

  bool Loads(const std::string& module) const;
  // The value that the script gives to a parameter; null when it gives none.
  const ScriptValue* Find(const std::string& module, const std::string& name) const;
};

// Reads the Kamailio 5.6 script `path` and the files it includes. `defines` are those of the
// command line (kamailio -A). Errors: NotFound          the file cannot be read
//         InvalidArgument   "FILE:LINE: what is wrong"
absl::StatusOr<Script> ReadScript(const std::string& path, FileReader read,
                                  std::map<std::string, std::string> defines);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_KAMAILIO_SCRIPT_H_
