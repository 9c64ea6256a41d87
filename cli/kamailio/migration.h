#ifndef PRESENCE_CLI_KAMAILIO_MIGRATION_H_
#define PRESENCE_CLI_KAMAILIO_MIGRATION_H_

#include <optional>
#include <string>
#include <vector>

#include "cli/kamailio/script.h"
#include "cli/kamailio/token.h"

namespace presence::cli {

// What becomes of something a Kamailio configuration has.
enum class Fate {
  kKept,        // a key of the same name and meaning
  kRenamed,     // a key of another name, or several
  kSuperseded,  // nothing to set: what it was for does not arise here
  kNeedsYou,    // somebody has to decide or do something
};

enum class Program { kCore, kGateway };

// A key of one of our programs, such as publish.max_expires of presence-core.
struct SuccessorKey {
  Program program = Program::kCore;
  std::string key;

  friend bool operator==(const SuccessorKey&, const SuccessorKey&) = default;
};

// A key and the value it gets.
struct NewSetting {
  SuccessorKey key;
  std::vector<std::string> values;  // one, but for a list
  std::string reason;               // "max_expires 3600 (kamailio.cfg:12)"
};

// One line of the report.
struct MigrationRow {
  Fate fate = Fate::kNeedsYou;
  std::string subject;  // "max_expires", "presence_xml force_active", "handle_publish"
  std::string was;      // its value; passwords are masked
  std::optional<ScriptPosition> position;  // nothing: the script does not set it
  std::vector<SuccessorKey> keys;
  std::string note;  // a sentence without its full stop
  // The note is about something that behaves otherwise here, not about the successor in general.
  bool is_different = false;
  // Of routing, not of configuration: it does not show in the files that are written.
  bool is_routing = false;
};

// What becomes of a Kamailio script. A value.
struct Migration {
  std::vector<MigrationRow> rows;
  std::vector<NewSetting> settings;

  bool Sets(const SuccessorKey& key) const;
};

// Decides about all 37 parameters of the presence module, and about whatever else of `script`
// matters to presence. `domains` are those the user names; without any, the aliases of the script
// are taken.
Migration Migrate(const Script& script, const std::vector<std::string>& domains);

// The YAML file that sets what `migration` sets of `program`; what is left to do stands at its
// head.
std::string ConfigurationFile(const Migration& migration, Program program);

// "presence-core", "sip-gateway".
std::string ProgramName(Program program);
// "kept", "renamed", "superseded", "needs you".
std::string FateName(Fate fate);
// "presence-core publish.max_expires".
std::string KeyName(const SuccessorKey& key);

// `url` with *** in place of a password, if it is the URL of a database.
std::string MaskPassword(const std::string& url);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_KAMAILIO_MIGRATION_H_
