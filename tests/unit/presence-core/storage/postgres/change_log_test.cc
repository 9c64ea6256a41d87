#include <fmt/format.h>

#include <memory>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/storage/postgres/change_log_keeper.h"
#include "presence-core/storage/postgres/lease_keeper.h"
#include "presence-core/storage/postgres/postgres_store.h"
#include "tests/postgres/test_database.h"

namespace presence {
namespace {

using testing::HasSubstr;
using testing::Not;

class ChangeLogTest : public testing::Test {
 protected:
  ChangeLogTest() : lease_(keeper_.Take().value()) { options_.history_retention = absl::Hours(48); }

  RowChanges Change(const std::string& user = "alice") {
    RowChanges changes;
    changes.key = {*PresentityUri::FromText(user + "@example.com"), *EventName::Parse("presence")};
    return changes;
  }
  static PublicationPtr PublicationOf(PublicationId id) {
    auto row = std::make_shared<Publication>();
    row->id = id;
    row->etag = Etag("etag-" + std::to_string(id));
    row->document = Document("text/plain", "the document");
    row->expires_at = row->received_at = absl::UnixEpoch();
    return row;
  }
  CommitResult Commit(const DatabaseOptions& options, const RowChanges& change) {
    PostgresStore store(options, clock_, lease_);
    const std::vector<RowChanges> batch{change};
    CommitOutcome result;
    absl::Notification is_done;
    store.Commit(store.ShardOf(change.key), batch, [&](CommitOutcome outcome) {
      result = std::move(outcome);
      is_done.Notify();
    });
    is_done.WaitForNotification();
    return result.result;
  }
  absl::Status Keep() {
    StallGuard guard(options_, clock_);
    return ChangeLogKeeper::KeepOnce(options_, guard);
  }
  // A partition of a day that has passed, with a row.
  void AddDay(int days_ago) {
    const std::string day = fmt::format("(now() AT TIME ZONE 'UTC')::date - {}", days_ago);
    const std::string name = DayName(days_ago);
    database_.Run(fmt::format(
        "SET timezone = 'UTC'; DO $$ BEGIN EXECUTE format('CREATE TABLE {} PARTITION OF change_log"
        " FOR VALUES FROM (%L) TO (%L)', {}, {} + 1); END $$",
        name, day, day));
    database_.Run(fmt::format(
        "SET timezone = 'UTC'; INSERT INTO change_log VALUES (0, ({})::timestamptz + interval '1h',"
        " 'a@x', 'presence', 'publication', '1', false)",
        day));
  }
  std::string DayName(int days_ago) {
    return database_.Run(fmt::format(
        "SELECT 'change_log_' || to_char((now() AT TIME ZONE 'UTC')::date - {}, 'YYYYMMDD')",
        days_ago));
  }
  bool HasDay(int days_ago) {
    return !database_.Run("SELECT to_regclass('" + DayName(days_ago) + "')").empty();
  }
  std::string Logged() {
    return database_.Run(
        "SELECT coalesce(string_agg(concat_ws(' ', presentity, event, kind, subject, is_removed,"
        " etag, state, epoch, seq), ', ' ORDER BY changed_at, kind, subject), 'nothing')"
        " FROM change_log");
  }

  SystemClock clock_;
  TestDatabase database_{TestDatabase::Schema::kNewest, /*shards=*/1};
  DatabaseOptions options_ = database_.options();
  LeaseKeeper keeper_{{.database = options_, .node = "test", .address = "", .on_lost = nullptr},
                      clock_};
  const LeaseKeeper::Lease lease_;
};

TEST_F(ChangeLogTest, IsOffUnlessItIsToBeKept) {
  RowChanges change = Change();
  change.publications.emplace_back(1, PublicationOf(1));

  ASSERT_EQ(Commit(database_.options(), change), CommitResult::kCommitted);

  EXPECT_EQ(Logged(), "nothing");
}

TEST_F(ChangeLogTest, HasARowForEachRowThatChanged) {
  RowChanges put = Change();
  put.resource = ResourceRow{{7, 42}, 1, NotifyCause::kPublish, ""};
  put.publications.emplace_back(1, PublicationOf(1));
  auto subscription = std::make_shared<Subscription>();
  SeededRandom random(1);
  subscription->id = LocalTag::Generate(put.key.StableHash(), random);
  subscription->event = put.key.event;
  subscription->watcher = *WatcherUri::FromText("bob@example.com");
  subscription->state = SubscriptionState::kPending;
  put.subscriptions.emplace_back(subscription->id, subscription);
  auto decided = std::make_shared<WatcherRecord>();
  decided->watcher = subscription->watcher;
  decided->decision = WatcherDecision::kBlock;
  put.watchers.emplace_back(decided->watcher, decided);
  RowChanges removal = Change();
  removal.publications.emplace_back(1, nullptr);
  removal.subscriptions.emplace_back(subscription->id, nullptr);

  ASSERT_EQ(Commit(options_, put), CommitResult::kCommitted);
  ASSERT_EQ(Commit(options_, removal), CommitResult::kCommitted);

  const std::string tag = subscription->id.text();
  EXPECT_EQ(Logged(),
            "alice@example.com presence publication 1 f etag-1 7 42,"
            " alice@example.com presence subscription " +
                tag +
                " f 2 7 42,"
                " alice@example.com presence watcher_decision bob@example.com f 2 7 42,"
                " alice@example.com presence publication 1 t,"
                " alice@example.com presence subscription " +
                tag + " t");
}

TEST_F(ChangeLogTest, HasNothingOfACommitThatFailed) {
  RowChanges bad = Change();
  bad.publications.emplace_back(1, PublicationOf(1));
  auto too_big = std::make_shared<Publication>(*PublicationOf(2));
  too_big->document = Document("text/plain", std::string((1 << 20) + 1, 'x'));
  bad.publications.emplace_back(2, too_big);

  EXPECT_EQ(Commit(options_, bad), CommitResult::kBadRow);

  EXPECT_EQ(Logged(), "nothing");
}

TEST_F(ChangeLogTest, GetsItsPartitionsAheadAndLosesThoseThatAreTooOld) {
  for (const int days_ago : {1, 2, 3, 4}) AddDay(days_ago);

  ASSERT_TRUE(Keep().ok());
  ASSERT_TRUE(Keep().ok());  // nothing is left to do

  for (const int ahead : {0, 1, 2, 3}) EXPECT_TRUE(HasDay(-ahead)) << ahead;
  EXPECT_TRUE(HasDay(1));
  EXPECT_TRUE(HasDay(2)) << "some of it is younger than 48 hours";
  EXPECT_FALSE(HasDay(3));
  EXPECT_FALSE(HasDay(4));
  EXPECT_EQ(database_.Run("SELECT count(*) FROM change_log"), "2");
  RowChanges change = Change();
  change.publications.emplace_back(1, PublicationOf(1));
  ASSERT_EQ(Commit(options_, change), CommitResult::kCommitted);
  EXPECT_EQ(database_.Run("SELECT count(*) FROM " + DayName(0)), "1");
  EXPECT_EQ(database_.Run("SELECT count(*) FROM change_log_rest"), "0");
}

// As when nobody could make partitions for days.
TEST_F(ChangeLogTest, TakesRowsOfDaysWithoutAPartition) {
  RowChanges change = Change();
  change.publications.emplace_back(1, PublicationOf(1));
  ASSERT_EQ(Commit(options_, change), CommitResult::kCommitted);
  database_.Run(
      "INSERT INTO change_log VALUES (0, now() - interval '3 days', 'a@x', 'presence',"
      " 'publication', '1', false)");
  ASSERT_EQ(database_.Run("SELECT count(*) FROM change_log_rest"), "2");

  EXPECT_TRUE(Keep().ok());

  EXPECT_FALSE(HasDay(0)) << "it stays with the rest";
  EXPECT_TRUE(HasDay(-1));
  EXPECT_EQ(database_.Run("SELECT count(*) FROM change_log_rest"), "1");
}

TEST_F(ChangeLogTest, LetsNoCommitWaitForWhoeverReadsIt) {
  ASSERT_TRUE(Keep().ok());
  AddDay(5);
  pqxx::connection connection(options_.dsn);
  auto reader = std::make_unique<pqxx::work>(connection);
  reader->exec("SELECT count(*) FROM presence.change_log");
  RowChanges change = Change();
  change.publications.emplace_back(1, PublicationOf(1));

  EXPECT_FALSE(Keep().ok());
  EXPECT_EQ(Commit(options_, change), CommitResult::kCommitted);

  reader.reset();
  EXPECT_TRUE(Keep().ok());
  EXPECT_FALSE(HasDay(5));
}

// What is asked of it most: what became of a presentity since then.
TEST_F(ChangeLogTest, IsReadByItsIndex) {
  ASSERT_TRUE(Keep().ok());
  database_.Run(
      "INSERT INTO change_log SELECT 0, now(), n || '@x', 'presence', 'publication', '1', false"
      " FROM generate_series(1, 20000) n");
  database_.Run("ANALYZE change_log");

  pqxx::connection connection(options_.dsn);
  pqxx::work reading(connection);
  std::string plan;
  for (const pqxx::row& line : reading.exec(
           "EXPLAIN SELECT * FROM presence.change_log WHERE shard = 0 AND presentity = '77@x'"
           " AND event = 'presence' AND changed_at > now() - interval '1 hour'")) {
    plan += line[0].as<std::string>() + "\n";
  }

  EXPECT_THAT(plan, HasSubstr("Index Scan using " + DayName(0))) << plan;
  EXPECT_THAT(plan, Not(HasSubstr("Seq Scan on " + DayName(0)))) << plan;
}

TEST_F(ChangeLogTest, TheKeeperSaysOnceWhatGoesWrong) {
  database_.Run("DROP FUNCTION trim_change_log");
  absl::Notification is_troubled;
  std::string why;

  ChangeLogKeeper keeper(options_, clock_, [&](const absl::Status& status) {
    why = std::string(status.message());
    is_troubled.Notify();
  });
  is_troubled.WaitForNotification();

  EXPECT_THAT(why, HasSubstr("trim_change_log"));
}

}  // namespace
}  // namespace presence
