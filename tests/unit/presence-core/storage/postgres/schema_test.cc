#include "presence-core/storage/postgres/schema.h"

#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/model/error.h"
#include "presence-core/storage/postgres/connection.h"
#include "presence-core/storage/postgres/lease_keeper.h"
#include "tests/postgres/test_database.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const SystemClock kClock;

void Silently(const Migration&, bool) {}

const int kNewest = Migrations().back().version;

TEST(SchemaTest, AnEmptyDatabaseIsBehindAndTheErrorNamesTheCommand) {
  const TestDatabase database(TestDatabase::Schema::kNone);

  const absl::Status status = CheckSchema(database.options(), kClock);

  // To wait for it, as for a database that is away, would be in vain.
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("presence-core migrate up"));
}

TEST(SchemaTest, UpBringsItUpToDateOnceAndMakesTheShards) {
  const TestDatabase database(TestDatabase::Schema::kNone);
  std::vector<int> steps;
  const auto note = [&](const Migration& step, bool is_up) {
    steps.push_back(is_up ? step.version : -step.version);
  };

  ASSERT_TRUE(MigrateUp(database.options(), 16, /*dry_run=*/false, kClock, note).ok());
  ASSERT_TRUE(MigrateUp(database.options(), 99, /*dry_run=*/false, kClock, note).ok());

  EXPECT_EQ(steps.size(), static_cast<size_t>(kNewest));
  EXPECT_TRUE(CheckSchema(database.options(), kClock).ok());
  EXPECT_EQ(database.Run("SELECT count(*) FROM lease"), "16");
}

TEST(SchemaTest, ADryRunChangesNothing) {
  const TestDatabase database(TestDatabase::Schema::kNone);
  int steps = 0;

  const absl::Status status = MigrateUp(database.options(), 4, /*dry_run=*/true, kClock,
                                        [&](const Migration&, bool) { ++steps; });

  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(steps, kNewest);
  EXPECT_EQ(ReadSchemaVersion(database.options(), kClock)->database, 0);
}

TEST(SchemaTest, DownTakesEverythingBackAndUpGoesForthAgain) {
  const TestDatabase database;

  ASSERT_TRUE(MigrateDown(database.options(), 0, /*dry_run=*/false, kClock, Silently).ok());

  EXPECT_EQ(ReadSchemaVersion(database.options(), kClock)->database, 0);
  EXPECT_EQ(database.Run("SELECT string_agg(relname, ' ') FROM pg_class WHERE relkind = 'r'"
                         " AND relnamespace = 'presence'::regnamespace"),
            "schema_migration");
  EXPECT_TRUE(MigrateUp(database.options(), 4, /*dry_run=*/false, kClock, Silently).ok());
}

TEST(SchemaTest, DownIsRefusedForWhatIsNoEarlierVersion) {
  const TestDatabase database;

  for (const int to : {-1, kNewest, kNewest + 1}) {
    EXPECT_EQ(ReasonOf(MigrateDown(database.options(), to, false, kClock, Silently)),
              ErrorReason::kInvalidField);
  }
}

TEST(SchemaTest, DownIsRefusedWhileAProcessServes) {
  const TestDatabase database;
  SystemClock clock;
  LeaseKeeper keeper(
      {.database = database.options(), .node = "core-1", .address = "", .on_lost = nullptr}, clock);
  ASSERT_TRUE(keeper.Take()->is_ours);

  const absl::Status status =
      MigrateDown(database.options(), 0, /*dry_run=*/false, kClock, Silently);

  EXPECT_THAT(std::string(status.message()), HasSubstr("core-1 is serving"));
  keeper.Release();
  EXPECT_TRUE(MigrateDown(database.options(), 0, /*dry_run=*/false, kClock, Silently).ok());
}

TEST(SchemaTest, ADatabaseAheadOfTheProgramIsRefused) {
  const TestDatabase database;
  database.Run("INSERT INTO schema_migration (version, name) VALUES (4711, 'of the future')");

  for (const absl::Status& status : {CheckSchema(database.options(), kClock),
                                     MigrateUp(database.options(), 4, false, kClock, Silently),
                                     MigrateDown(database.options(), 0, false, kClock, Silently)}) {
    EXPECT_THAT(std::string(status.message()), HasSubstr("schema version 4711"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("migrate down --to"));
  }
}

// Everybody who came after it would wait behind a step that waits, the cores that serve, too.
TEST(SchemaTest, AStepDoesNotWaitForLongForWhoReads) {
  const TestDatabase database;
  const auto reader = Connect(database.options());
  pqxx::work reading(*reader);
  reading.exec("SELECT count(*) FROM publication");

  const absl::Status status =
      MigrateDown(database.options(), 0, /*dry_run=*/false, kClock, Silently);

  EXPECT_THAT(std::string(status.message()), HasSubstr("run the same command again"));
  reading.commit();
  EXPECT_TRUE(MigrateDown(database.options(), 0, /*dry_run=*/false, kClock, Silently).ok());
}

TEST(SchemaTest, AFailedStepLeavesTheOneBefore) {
  const TestDatabase database(TestDatabase::Schema::kNone);
  database.Run("CREATE SCHEMA presence CREATE TABLE publication (is_in_the_way integer)");

  EXPECT_FALSE(MigrateUp(database.options(), 4, /*dry_run=*/false, kClock, Silently).ok());

  EXPECT_EQ(ReadSchemaVersion(database.options(), kClock)->database, 0);
  EXPECT_EQ(database.Run("SELECT to_regclass('presence.lease')"), "");
}

}  // namespace
}  // namespace presence
