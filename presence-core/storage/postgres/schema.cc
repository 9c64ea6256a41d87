#include "presence-core/storage/postgres/schema.h"

#include <fmt/format.h>

#include <pqxx/pqxx>
#include <string>
#include <string_view>

#include "presence-core/model/error.h"
#include "presence-core/storage/postgres/connection.h"
#include "presence-core/storage/postgres/stall_guard.h"

namespace presence {
namespace {

constexpr char kBegin[] =
    "CREATE SCHEMA IF NOT EXISTS presence;"
    "CREATE TABLE IF NOT EXISTS presence.schema_migration ("
    " version integer PRIMARY KEY, name text NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())";

// A step that waits for a long reader has everybody else wait behind it, the cores that serve, too.
constexpr char kWaitBriefly[] = "SET LOCAL lock_timeout = '2s'";
constexpr char kLockTimeout[] = "55P03";

// A long statement is no sign of trouble here.
DatabaseOptions Patient(DatabaseOptions options) {
  options.statement_timeout = absl::ZeroDuration();
  options.synchronous_commit = true;
  return options;
}

int VersionOf(pqxx::transaction_base& transaction) {
  const bool is_there =
      transaction.exec1("SELECT to_regclass('presence.schema_migration') IS NOT NULL")[0]
          .as<bool>();
  if (!is_there) return 0;
  return transaction.exec1("SELECT coalesce(max(version), 0) FROM presence.schema_migration")[0]
      .as<int>();
}

int KnownVersion() { return Migrations().back().version; }

// Not to be waited for, as a database is that is away.
absl::Status SchemaMismatch(std::string_view what) {
  return absl::FailedPreconditionError(absl::string_view(what.data(), what.size()));
}

absl::Status NewerThanProgram(int database) {
  return SchemaMismatch(
      fmt::format("the database has schema version {}, this program knows {}: install the newer "
                  "program, or go back with its  presence-core migrate down --to {}",
                  database, KnownVersion(), KnownVersion()));
}

void Up(pqxx::connection& connection, const Migration& migration, uint32_t shards) {
  pqxx::work transaction(connection);
  transaction.exec(kOneAtATime);
  if (VersionOf(transaction) >= migration.version) return;  // somebody else was faster
  transaction.exec(kWaitBriefly);
  transaction.exec(kBegin);
  transaction.exec(std::string(migration.up));
  if (migration.version == 1) {
    transaction.exec_params0("INSERT INTO lease (shard) SELECT generate_series(0, $1::integer - 1)",
                             shards);
  }
  transaction.exec_params0("INSERT INTO presence.schema_migration (version, name) VALUES ($1, $2)",
                           migration.version, std::string(migration.name));
  transaction.commit();
}

void Down(pqxx::connection& connection, const Migration& migration) {
  pqxx::work transaction(connection);
  transaction.exec(kOneAtATime);
  if (VersionOf(transaction) != migration.version) return;
  transaction.exec(kWaitBriefly);
  transaction.exec(std::string(migration.down));
  transaction.exec_params0("DELETE FROM presence.schema_migration WHERE version = $1",
                           migration.version);
  transaction.commit();
}

absl::Status StepFailed(const std::exception& error) {
  const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error);
  if (sql == nullptr || sql->sqlstate() != kLockTimeout) return StatusOf(error);
  return StorageUnavailable(
      "somebody has been reading or writing a table of this step for 2 s, so it was not taken: run "
      "the same command again, or see in pg_stat_activity who it is");
}

std::string OwnerOf(pqxx::transaction_base& transaction) {
  const pqxx::result owners =
      transaction.exec("SELECT node FROM lease WHERE expires_at > clock_timestamp() LIMIT 1");
  return owners.empty() ? std::string() : owners[0][0].as<std::string>();
}

}  // namespace

absl::StatusOr<SchemaVersion> ReadSchemaVersion(const DatabaseOptions& options,
                                                const Clock& clock) {
  try {
    StallGuard guard(options, clock);
    const auto connection = Connect(options, &guard);
    const StallGuard::Call call(guard, *connection);
    pqxx::nontransaction read(*connection);
    const auto encoding = read.exec1("SHOW server_encoding")[0].as<std::string>();
    if (encoding != "UTF8") {
      return SchemaMismatch(fmt::format(
          "the database is encoded as {}, and URIs are not: make one with  createdb --encoding "
          "UTF8 --template template0",
          encoding));
    }
    return SchemaVersion{VersionOf(read), KnownVersion()};
  } catch (const std::exception& error) {
    return StatusOf(error);
  }
}

absl::Status CheckSchema(const DatabaseOptions& options, const Clock& clock) {
  const auto version = ReadSchemaVersion(options, clock);
  if (!version.ok()) return version.status();
  if (version->database > version->program) return NewerThanProgram(version->database);
  if (version->database < version->program) {
    return SchemaMismatch(
        fmt::format("the database has schema version {}, this program needs {}: run  presence-core "
                    "migrate up",
                    version->database, version->program));
  }
  return absl::OkStatus();
}

absl::Status MigrateUp(const DatabaseOptions& options, uint32_t shards, bool dry_run,
                       const Clock& clock, OnMigration on_step) {
  const auto version = ReadSchemaVersion(options, clock);
  if (!version.ok()) return version.status();
  if (version->database > version->program) return NewerThanProgram(version->database);
  try {
    const auto connection = Connect(Patient(options));
    for (const Migration& migration : Migrations()) {
      if (migration.version <= version->database) continue;
      on_step(migration, /*is_up=*/true);
      if (!dry_run) Up(*connection, migration, shards);
    }
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return StepFailed(error);
  }
}

absl::Status MigrateDown(const DatabaseOptions& options, int to, bool dry_run, const Clock& clock,
                         OnMigration on_step) {
  if (to < 0) return InvalidField("to", "a version is 0 or more; 0 removes every table");
  const auto version = ReadSchemaVersion(options, clock);
  if (!version.ok()) return version.status();
  if (version->database > version->program) return NewerThanProgram(version->database);
  if (to >= version->database) {
    return InvalidField(
        "to", fmt::format("the database has version {}: nothing to take back", version->database));
  }
  try {
    const auto connection = Connect(Patient(options));
    {
      pqxx::work transaction(*connection);
      if (const std::string owner = OwnerOf(transaction); !owner.empty()) {
        return StorageUnavailable(
            fmt::format("{} is serving from this database: stop it first", owner));
      }
    }
    for (auto it = Migrations().rbegin(); it != Migrations().rend(); ++it) {
      if (it->version > version->database || it->version <= to) continue;
      on_step(*it, /*is_up=*/false);
      if (!dry_run) Down(*connection, *it);
    }
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return StepFailed(error);
  }
}

}  // namespace presence
