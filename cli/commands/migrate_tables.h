#ifndef PRESENCE_CLI_COMMANDS_MIGRATE_TABLES_H_
#define PRESENCE_CLI_COMMANDS_MIGRATE_TABLES_H_

#include <array>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include <google/protobuf/struct.pb.h>

#include "cli/connection/session.h"
#include "cli/exit_code.h"
#include "cli/kamailio_tables/tables.h"

namespace presence::cli {

// What became of the rows of one part of Kamailio's tables.
struct PartOutcome {
  uint64_t read = 0;
  uint64_t imported = 0;
  uint64_t before = 0;   // imported by an earlier run, or by a call of this one that broke
  uint64_t skipped = 0;  // expired, or something else has the name
  uint64_t refused = 0;
  bool is_there = true;
};

// The place of a part in the arrays below.
constexpr size_t Index(Part part) { return static_cast<size_t>(part); }

struct TablesOutcome {
  std::array<PartOutcome, std::size(kParts)> parts;
  std::array<std::string, std::size(kParts)> names;  // of the tables
  std::vector<RefusedRow> refused;                   // the first of them in full
  std::vector<XcapCount> xcap;
  bool was_checked_by_server = true;  // else this was a dry run without one
  bool is_begun = false;
  bool is_complete = false;  // else it failed or was interrupted after what is counted

  uint64_t refused_rows() const;
};

struct TablesOptions {
  TablePosition from;
  bool dry_run = false;
  bool notify = false;
};

// Reads the tables and has the server take them over, a batch a call, so that --timeout holds for
// each. What the server cannot do now is tried again for a while; then the failure says from where
// to go on. Progress goes to stderr where output goes to a screen.
ExitCode ImportTables(KamailioTables& tables, const TablesOptions& options, Session& session,
                      TablesOutcome& outcome);

// What a part is called.
const char* WordFor(Part part);

// For people, and for programs.
void PrintTables(const TablesOutcome& outcome, bool dry_run, std::ostream& out,
                 const Terminal& terminal);
google::protobuf::Struct ToStruct(const TablesOutcome& outcome);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_COMMANDS_MIGRATE_TABLES_H_
