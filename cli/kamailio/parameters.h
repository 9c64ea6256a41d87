#ifndef PRESENCE_CLI_KAMAILIO_PARAMETERS_H_
#define PRESENCE_CLI_KAMAILIO_PARAMETERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "cli/kamailio/migration.h"
#include "cli/kamailio/script.h"

namespace presence::cli {

// What a parameter has in a script, and where the decision about it goes.
class Conversion final {
 public:
  Conversion(const Script& script, Migration& migration, MigrationRow& row)
      : script_(script), migration_(migration), row_(row) {}

  const Script& script() const { return script_; }
  MigrationRow& row() { return row_; }
  // The parameter's value in the script; null when it is not set there.
  const ScriptValue* value() const { return value_; }
  void set_value(const ScriptValue* value) { value_ = value; }
  // The value as a number. Kamailio takes strings of digits, too; nothing for anything else.
  std::optional<int64_t> number() const;
  // The number another parameter has in the script, else its default there.
  int64_t NumberOf(const std::string& name, int64_t fallback) const;

  // Sets a key.
  void Set(Program program, const std::string& key, const std::string& value);
  void Decide(Fate fate, const std::string& note);
  // Says that somebody has to look at it.
  void NeedsYou(const std::string& note) { Decide(Fate::kNeedsYou, note); }

 private:
  const Script& script_;
  Migration& migration_;
  MigrationRow& row_;
  const ScriptValue* value_ = nullptr;
};

// One of the 37 parameters of the module. A value; the texts are for people.
struct Parameter {
  const char* name;
  const char* kamailio_default;
  Fate fate;
  std::vector<SuccessorKey> keys;
  // What the successor does, or why none is needed.
  const char* how;
  // What is different while nobody sets anything; empty where nothing is.
  const char* unset;
  // Decides about a value that the script sets; null where `fate` and `how` say it all.
  void (*convert)(Conversion& conversion);
};

// All 37, in the order of the module's documentation.
absl::Span<const Parameter> AllParameters();

// The table of docs/kamailio-coverage.md.
std::string ParametersAsMarkdown();

}  // namespace presence::cli

#endif  // PRESENCE_CLI_KAMAILIO_PARAMETERS_H_
