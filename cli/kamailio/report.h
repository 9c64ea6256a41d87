#ifndef PRESENCE_CLI_KAMAILIO_REPORT_H_
#define PRESENCE_CLI_KAMAILIO_REPORT_H_

#include <ostream>
#include <string>

#include "cli/environment.h"
#include "cli/kamailio/migration.h"

namespace presence::cli {

// What a row sets, "publish.max_expires: 1h, subscribe.max_expires: 1h"; the keys alone where it
// sets nothing; "-" without keys.
std::string SettingsText(const Migration& migration, const MigrationRow& row);

// Prints every row for people, in four groups; what behaves otherwise and what needs somebody is
// never cut.
void PrintReport(const Migration& migration, std::ostream& out, const Terminal& terminal);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_KAMAILIO_REPORT_H_
