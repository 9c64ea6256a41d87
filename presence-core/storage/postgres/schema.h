#ifndef PRESENCE_CORE_STORAGE_POSTGRES_SCHEMA_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_SCHEMA_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "presence-core/storage/postgres/database_options.h"
#include "runtime/clock.h"

namespace presence {

// Whoever changes the schema does it alone: the transaction begins with this. Any number that
// nobody else locks.
inline constexpr char kOneAtATime[] = "SELECT pg_advisory_xact_lock(7460)";

// One numbered, immutable step of the schema, from sql/.
struct Migration {
  int version;
  std::string_view name;
  std::string_view up;
  std::string_view down;
};
// All that this program knows, by version from 1 without gaps.
const std::vector<Migration>& Migrations();

// Which of them a database has. A version that this program does not know is of a newer one.
struct SchemaVersion {
  int database = 0;
  int program = 0;
};
// Errors: STORAGE_UNAVAILABLE; FailedPrecondition   a database that is not of UTF-8.
absl::StatusOr<SchemaVersion> ReadSchemaVersion(const DatabaseOptions& options, const Clock& clock);

// OK when the database has exactly what this program knows. Errors: STORAGE_UNAVAILABLE;
// FailedPrecondition   it has not, and the message names the command that mends it.
absl::Status CheckSchema(const DatabaseOptions& options, const Clock& clock);

// Called with each step before it is taken.
using OnMigration = absl::FunctionRef<void(const Migration&, bool is_up)>;

// Brings the database up to date, each step in a transaction; `shards` is for a new database and
// can never be changed. With `dry_run` nothing is changed. Two at once wait for each other, but a
// step waits for two seconds only for those who read or write. Errors: FailedPrecondition;
// STORAGE_UNAVAILABLE   steps before the failed one stay.
absl::Status MigrateUp(const DatabaseOptions& options, uint32_t shards, bool dry_run,
                       const Clock& clock, OnMigration on_step);
// Takes steps back until `to`; what only the newer schema could hold is lost. Refused while a
// process owns a shard. Errors: INVALID_FIELD, STORAGE_UNAVAILABLE.
absl::Status MigrateDown(const DatabaseOptions& options, int to, bool dry_run, const Clock& clock,
                         OnMigration on_step);

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_SCHEMA_H_
