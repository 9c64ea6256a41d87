#include "presence-core/storage/postgres/connection.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "presence-core/model/error.h"
#include "presence-core/model/utf8.h"
#include "presence-core/storage/postgres/statements.h"

namespace presence {
namespace {

// The first line of what the server said: those after it quote rows.
std::string FirstLine(const std::exception& error) {
  const std::string_view text = error.what();
  return Printable(text.substr(0, text.find('\n')));
}

// Whose fault it is: classes 22 (data) and 23 (constraint), and the row that is too big (54).
bool IsOfARow(std::string_view sqlstate) {
  const std::string_view kind = sqlstate.substr(0, 2);
  return kind == "22" || kind == "23" || kind == "54";
}

}  // namespace

std::unique_ptr<pqxx::connection> Connect(const DatabaseOptions& options, StallGuard* guard) {
  auto connection = std::make_unique<pqxx::connection>(options.dsn);
  // Deprecated because libpqxx 7 never reactivates; this is libpqxx 6.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection->inhibit_reactivation(true);
#pragma GCC diagnostic pop
  std::optional<StallGuard::Call> call;
  if (guard != nullptr) call.emplace(*guard, *connection);
  pqxx::nontransaction setup(*connection);
  const int64_t timeout_ms = absl::ToInt64Milliseconds(options.statement_timeout);
  // Plans are made once, often while the tables are still empty, and must be right when they are
  // full: so only those that go by an index are allowed. What that makes look dear must not be
  // compiled.
  setup.exec0(fmt::format(
      "SET search_path = presence; SET synchronous_commit = {}; SET statement_timeout = {};"
      " SET idle_in_transaction_session_timeout = {}; SET plan_cache_mode = force_generic_plan;"
      " SET jit = off; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = "
      "off;"
      " SET timezone = 'UTC'; SET client_encoding = 'UTF8'",
      options.synchronous_commit ? "on" : "off", timeout_ms, 2 * timeout_ms));
  return connection;
}

void PrepareStatements(pqxx::connection& connection) {
  for (const Statement& statement : AllStatements()) {
    connection.prepare(statement.name, statement.text);
    connection.prepare_now(statement.name);
  }
}

absl::Duration MeasureClock(pqxx::connection& connection, const Clock& clock) {
  pqxx::nontransaction ask(connection);
  const absl::Time before = clock.Now();
  const auto micros =
      ask.exec1("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")[0]
          .as<int64_t>();
  const absl::Time after = clock.Now();
  return absl::FromUnixMicros(micros) - (before + (after - before) / 2);
}

CommitOutcome OutcomeOf(const std::exception& error, Moment moment) {
  const absl::Status status = StatusOf(error);
  const auto* sql = dynamic_cast<const pqxx::sql_error*>(&error);
  const bool is_of_a_row = sql != nullptr && IsOfARow(sql->sqlstate());
  // That will not pass by waiting.
  if (is_of_a_row) return {CommitResult::kBadRow, Internal(std::string(status.message()))};
  // An answer to COMMIT that says why it failed is as good as a rollback; no answer is none.
  const bool is_rolled_back = sql != nullptr && sql->sqlstate().substr(0, 2) == "40";
  if (moment == Moment::kInCommit && !is_rolled_back) return {CommitResult::kUnknown, status};
  return {CommitResult::kFailed, status};
}

absl::Status StatusOf(const std::exception& error) {
  return StorageUnavailable(fmt::format("the database: {}", FirstLine(error)));
}

}  // namespace presence
