#include "tests/postgres/test_database.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <pqxx/pqxx>
#include <stdexcept>

#include "presence-core/storage/postgres/schema.h"

namespace presence {
namespace {

std::string ClusterDsn() {
  const char* dsn = std::getenv("PRESENCE_TEST_DSN");
  if (dsn == nullptr) throw std::runtime_error("run this under tests/postgres/with_cluster.py");
  return dsn;
}

}  // namespace

TestDatabase::TestDatabase(Schema schema, uint32_t shards) {
  static std::atomic<int> next = 0;
  name_ = "test_" + std::to_string(getpid()) + "_" + std::to_string(next++);
  RunInCluster("CREATE DATABASE " + name_);
  if (schema == Schema::kNone) return;
  const absl::Status status =
      MigrateUp(options(), shards, /*dry_run=*/false, SystemClock(), [](const Migration&, bool) {});
  if (!status.ok()) throw std::runtime_error(std::string(status.message()));
}

void TestDatabase::RunInCluster(const std::string& sql) {
  pqxx::connection connection(ClusterDsn());
  pqxx::nontransaction work(connection);
  work.exec(sql);
}

TestDatabase::~TestDatabase() { RunInCluster("DROP DATABASE " + name_ + " WITH (FORCE)"); }

DatabaseOptions TestDatabase::options() const {
  DatabaseOptions options;
  options.dsn = *NormalizeDsn(ClusterDsn() + " dbname=" + name_);
  options.connections = 2;
  options.statement_timeout = absl::Seconds(30);  // the machine may be busy
  options.batch_rows = 7;  // so that a test of a few rows takes several batches
  return options;
}

std::string TestDatabase::Run(const std::string& sql) const {
  pqxx::connection connection(options().dsn);
  pqxx::nontransaction work(connection);
  work.exec("SET search_path = presence");
  const pqxx::result rows = work.exec(sql);
  return rows.empty() || rows[0][0].is_null() ? std::string() : rows[0][0].as<std::string>();
}

}  // namespace presence
