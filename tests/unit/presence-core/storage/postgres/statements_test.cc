#include "presence-core/storage/postgres/statements.h"

#include <fmt/format.h>

#include <pqxx/pqxx>
#include <set>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/storage/postgres/connection.h"
#include "presence-core/storage/postgres/lease_statements.h"
#include "tests/postgres/test_database.h"

namespace presence {
namespace {

using testing::HasSubstr;
using testing::Not;

// A value for a parameter of this type; the plan does not depend on which.
std::string SampleOf(const std::string& type) {
  if (type.ends_with("[]")) return fmt::format("'{{}}'::{}", type);
  return type == "text" ? "'a'" : "0";
}

// Rows of four shards in every table, enough for the planner to mind.
void Fill(const TestDatabase& database) {
  constexpr char kKey[] = "n % 4, 'user' || n || '@example.com', 'presence'";
  constexpr char kFrom[] = " FROM generate_series(1, 20000) n";
  database.Run(fmt::format("INSERT INTO resource SELECT {}, 1, 1, 1, 1, ''{}", kKey, kFrom));
  database.Run(
      fmt::format("INSERT INTO publication SELECT {}, 1, 'etag', 't', '', now(), now(), 0,"
                  " '', '', '', '', 0, true{}",
                  kKey, kFrom));
  database.Run(fmt::format(
      "INSERT INTO subscription SELECT {}, md5(n::text), n, false, '', 'w', NULL, 1, 0, now(),"
      " now(), '', '', '', '', '', '', '', '', '', '', '', 0, 0, true, true, '', 0{}",
      kKey, kFrom));
  database.Run(
      fmt::format("INSERT INTO watcher_decision SELECT {}, 'w', 1, now(), 1{}", kKey, kFrom));
  database.Run(
      fmt::format("INSERT INTO tombstone SELECT {}, 'r', 'c', 'e', 0, now(){}", kKey, kFrom));
  database.Run(
      fmt::format("INSERT INTO document SELECT {}, 2, 'index', 'etag', 't', '', '', now(), now(){}",
                  kKey, kFrom));
  database.Run("ANALYZE");
}

std::string Explain(pqxx::transaction_base& transaction, const std::string& what) {
  std::string plan;
  for (const pqxx::row& line : transaction.exec("EXPLAIN " + what)) {
    plan += line[0].as<std::string>() + "\n";
  }
  return plan;
}

TEST(StatementsTest, GoByAnIndexWhereverTheTableIsBig) {
  const TestDatabase database;
  Fill(database);
  const auto connection = Connect(database.options());
  PrepareStatements(*connection);
  pqxx::work transaction(*connection);

  for (const pqxx::row& row : transaction.exec(
           "SELECT name, array_to_string(parameter_types, ' ') FROM pg_prepared_statements")) {
    const auto name = row[0].as<std::string>();
    std::string parameters;
    std::istringstream types(row[1].as<std::string>());
    for (std::string type; types >> type;) {
      // "timestamp with time zone[]" comes in four words.
      if (type == "timestamp") {
        std::string rest;
        types >> rest >> rest >> rest;
        type = "timestamptz[]";
      }
      parameters += (parameters.empty() ? "" : ", ") + SampleOf(type);
    }
    // Four leases are no big table, and a sort of the rows of one resource is none either.
    const std::string plan =
        Explain(transaction, fmt::format("EXECUTE \"{}\"({})", name, parameters));
    if (!name.starts_with("fence")) {
      EXPECT_THAT(plan, Not(HasSubstr("Seq Scan"))) << name << "\n" << plan;
    }
    EXPECT_THAT(plan, Not(HasSubstr("Hash"))) << name << "\n" << plan;
  }
  for (const Table table : kTables) {
    const std::string plan =
        Explain(transaction, fmt::format(fmt::runtime(StatementsOf(table).of_shard), 1));
    EXPECT_THAT(plan, Not(HasSubstr("Seq Scan"))) << plan;
    EXPECT_THAT(plan, HasSubstr("Index Cond: (shard = 1)")) << plan;
  }
}

TEST(StatementsTest, NameTheShard) {
  for (const Statement& statement : AllStatements()) {
    EXPECT_TRUE(statement.text.find("shard = $1") != std::string::npos ||
                statement.text.find("(shard, ") != std::string::npos)
        << statement.text;
  }
}

// Every core that ever waited may have left a row for each shard.
TEST(StatementsTest, OfLeasesGoByAnIndexHoweverManyHaveWaited) {
  const TestDatabase database;
  database.Run(
      "INSERT INTO node SELECT n % 4, 'core' || n, now() - interval '1 hour'"
      " FROM generate_series(1, 20000) n");
  database.Run("ANALYZE");
  const auto connection = Connect(database.options());
  pqxx::work transaction(*connection);

  for (const std::string_view text : kLeaseStatements) {
    transaction.exec("PREPARE statement AS " + std::string(text));
    const auto count = transaction.exec1(
        "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'statement'");
    std::string parameters;
    for (int i = 0; i < count[0].as<int>(); ++i) parameters += i == 0 ? "NULL" : ", NULL";
    const std::string plan =
        Explain(transaction,
                parameters.empty() ? "EXECUTE statement" : "EXECUTE statement(" + parameters + ")");
    EXPECT_THAT(plan, Not(HasSubstr("Seq Scan on node"))) << text << "\n" << plan;
    transaction.exec("DEALLOCATE statement");
  }
}

TEST(StatementsTest, OfLeasesTouchNoState) {
  const std::set<std::string> before_a_table = {"FROM", "JOIN", "UPDATE", "INTO", "USING"};
  for (const std::string_view text : kLeaseStatements) {
    std::istringstream words{std::string(text)};
    for (std::string last, word; words >> word; last = word) {
      const std::string name =
          word.substr(0, word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"));
      if (!before_a_table.contains(last) || name.empty()) continue;
      EXPECT_THAT(name, testing::AnyOf("lease", "node", "expires_at" /* extract */)) << text;
    }
  }
}

// One day a shard may live in a database of its own.
TEST(StatementsTest, EveryUniqueIndexLeadsWithTheShard) {
  const TestDatabase database;

  const std::string others = database.Run(
      "SELECT string_agg(c.relname, ' ') FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
      " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
      " WHERE c.relnamespace = 'presence'::regnamespace AND a.attname <> 'shard'");

  EXPECT_EQ(others, "schema_migration_pkey") << "of the tool, not of the state";
}

}  // namespace
}  // namespace presence
