// The connection is lost, or the server goes silent, at every single statement.

#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/model/error.h"
#include "presence-core/storage/postgres/lease_keeper.h"
#include "presence-core/storage/postgres/postgres_store.h"
#include "presence-core/storage/postgres/schema.h"
#include "tests/fakes/jumping_clock.h"
#include "tests/postgres/meddling_proxy.h"
#include "tests/postgres/test_database.h"

namespace presence {
namespace {

using Fate = MeddlingProxy::Fate;
using Loaded = absl::StatusOr<std::optional<ResourceRows>>;

class LostConnectionsTest : public testing::Test {
 protected:
  LostConnectionsTest() {
    options_.dsn += proxy_.host();
    options_.connections = 1;
  }

  // A store with a connection that is already open, or will be by its first statements.
  std::unique_ptr<PostgresStore> NewStore() {
    return std::make_unique<PostgresStore>(options_, clock_, lease_);
  }
  RowChanges Change(const std::string& user) {
    RowChanges changes;
    changes.key = {*PresentityUri::FromText(user + "@example.com"), *EventName::Parse("presence")};
    changes.resource = ResourceRow{{1, 1}, 1, NotifyCause::kNone, ""};
    auto publication = std::make_shared<Publication>();
    publication->id = 1;
    publication->etag = Etag("etag");
    publication->expires_at = publication->received_at = absl::UnixEpoch();
    changes.publications = {{1, publication}, {2, nullptr}};
    return changes;
  }
  CommitOutcome Commit(RowStore& store, const RowChanges& change) {
    const std::vector<RowChanges> batch{change};
    CommitOutcome result;
    absl::Notification is_done;
    store.Commit(store.ShardOf(change.key), batch, [&](CommitOutcome outcome) {
      result = std::move(outcome);
      is_done.Notify();
    });
    is_done.WaitForNotification();
    return result;
  }
  Loaded Read(RowStore& store, const ResourceKey& key) {
    std::optional<Loaded> result;
    absl::Notification is_done;
    store.Read(key, [&](Loaded rows) {
      result = std::move(rows);
      is_done.Notify();
    });
    is_done.WaitForNotification();
    return *std::move(result);
  }
  // A store asks again only after a while.
  void LetTimePass() { clock_.Jump(absl::Seconds(1)); }

  TestDatabase database_{TestDatabase::Schema::kNewest, /*shards=*/1};
  MeddlingProxy proxy_{std::getenv("PRESENCE_TEST_DSN")};
  DatabaseOptions options_ = database_.options();
  JumpingClock clock_;
  LeaseKeeper keeper_{
      {.database = database_.options(), .node = "test", .address = "", .on_lost = nullptr}, clock_};
  const LeaseKeeper::Lease lease_ = keeper_.Take().value();
};

// From the first statement of a new connection to COMMIT.
TEST_F(LostConnectionsTest, ACommitIsThereOrNotAndWhatIsSaidOfItIsTrue) {
  proxy_.MeddleWith(0, Fate::kLoseStatement);
  ASSERT_EQ(Commit(*NewStore(), Change("first")).result, CommitResult::kCommitted);
  const int statements = proxy_.statements();
  ASSERT_GT(statements, 6) << "BEGIN, the fence, three writes and COMMIT, and what prepares them";

  for (const Fate fate : {Fate::kLoseStatement, Fate::kLoseAnswer}) {
    for (int nth = 1; nth <= statements; ++nth) {
      SCOPED_TRACE(testing::Message() << "statement " << nth << " of " << statements
                                      << (fate == Fate::kLoseAnswer ? ", answer" : ""));
      const RowChanges change = Change("u" + std::to_string(nth) + "-" + std::to_string(int(fate)));
      const auto store = NewStore();
      proxy_.MeddleWith(nth, fate);

      const CommitOutcome outcome = Commit(*store, change);

      EXPECT_EQ(outcome.result, nth == statements ? CommitResult::kUnknown : CommitResult::kFailed);
      EXPECT_EQ(ReasonOf(outcome.status), ErrorReason::kStorageUnavailable);
      LetTimePass();
      const Loaded found = Read(*store, change.key);
      ASSERT_TRUE(found.ok()) << found.status();
      const bool is_there = nth == statements && fate == Fate::kLoseAnswer;
      EXPECT_EQ(found->has_value(), is_there);
      EXPECT_EQ(Commit(*store, change).result, CommitResult::kCommitted);
      EXPECT_EQ((*Read(*store, change.key))->publications.size(), 1u);
    }
  }
}

TEST_F(LostConnectionsTest, AReadFailsAndTheNextOneFindsEverything) {
  const RowChanges change = Change("alice");
  const auto store = NewStore();
  ASSERT_EQ(Commit(*store, change).result, CommitResult::kCommitted);
  proxy_.MeddleWith(0, Fate::kLoseStatement);
  ASSERT_TRUE(Read(*store, change.key).ok());
  // Nothing hangs on the last one, which ends the transaction.
  const int statements = proxy_.statements() - 1;
  ASSERT_GT(statements, 6) << "BEGIN, the fence, and a SELECT for each table";

  for (const Fate fate : {Fate::kLoseStatement, Fate::kLoseAnswer}) {
    for (int nth = 1; nth <= statements; ++nth) {
      SCOPED_TRACE(testing::Message() << "statement " << nth << " of " << statements);
      proxy_.MeddleWith(nth, fate);

      EXPECT_EQ(ReasonOf(Read(*store, change.key).status()), ErrorReason::kStorageUnavailable);

      LetTimePass();
      const Loaded again = Read(*store, change.key);
      ASSERT_TRUE(again.ok()) << again.status();
      EXPECT_EQ((*again)->publications.size(), 1u);
    }
  }
}

TEST_F(LostConnectionsTest, ALoadFailsAndTheNextOneFindsEverything) {
  const auto store = NewStore();
  ASSERT_EQ(Commit(*store, Change("alice")).result, CommitResult::kCommitted);
  int visited = 0;
  const auto load = [&] {
    visited = 0;
    return store->ReadAll([&](const ResourceRows&) { ++visited; });
  };
  proxy_.MeddleWith(0, Fate::kLoseStatement);
  ASSERT_TRUE(load().ok());
  ASSERT_EQ(visited, 1);
  const int statements = proxy_.statements() - 1;  // the last one ends the transaction

  for (int nth = 1; nth <= statements; ++nth) {
    SCOPED_TRACE(testing::Message() << "statement " << nth << " of " << statements);
    proxy_.MeddleWith(nth, Fate::kLoseStatement);

    EXPECT_EQ(ReasonOf(load()), ErrorReason::kStorageUnavailable);

    ASSERT_TRUE(load().ok());
    EXPECT_EQ(visited, 1);
  }
}

TEST_F(LostConnectionsTest, ARenewalThatIsLostIsTriedAgainAndNothingElse) {
  SystemClock clock;
  std::atomic<bool> is_lost = false;
  LeaseKeeper::Options lease;
  lease.database = options_;
  lease.node = "test";
  lease.renewal = absl::Milliseconds(10);
  lease.on_lost = [&](const std::string&) { is_lost = true; };
  LeaseKeeper keeper(lease, clock);
  ASSERT_TRUE(keeper.Take()->is_ours);
  const auto await_renewal = [&] {
    const std::string before = database_.Run("SELECT max(expires_at) FROM lease");
    while (database_.Run("SELECT max(expires_at) FROM lease") == before) {
    }
  };

  for (const Fate fate : {Fate::kLoseStatement, Fate::kLoseAnswer}) {
    for (int nth = 1; nth <= 5; ++nth) {  // the session, BEGIN, the renewal, who waits, COMMIT
      proxy_.MeddleWith(nth, fate);
      proxy_.AwaitMeddling();
      await_renewal();
    }
  }

  EXPECT_FALSE(is_lost);
  EXPECT_EQ(database_.Run("SELECT max(epoch) FROM lease"), "2");
}

// A server that hangs is an error, not a start that hangs.
TEST_F(LostConnectionsTest, AServerThatGoesSilentIsGivenUp) {
  SystemClock clock;
  options_.statement_timeout = absl::Milliseconds(100);  // the guard gives it 1.2 s
  PostgresStore store(options_, clock, lease_);
  const auto load = [&] { return store.ReadAll([](const ResourceRows&) {}); };
  const auto check = [&] { return CheckSchema(options_, clock); };
  DatabaseOptions patient = options_;
  patient.statement_timeout = absl::Seconds(30);
  proxy_.MeddleWith(0, Fate::kHoldAnswer);
  ASSERT_TRUE(CheckSchema(patient, clock).ok());
  const int statements_of_check = proxy_.statements();
  ASSERT_GE(statements_of_check, 3);

  for (int nth = 1; nth <= statements_of_check; ++nth) {
    proxy_.MeddleWith(nth, Fate::kHoldAnswer);
    EXPECT_EQ(ReasonOf(check()), ErrorReason::kStorageUnavailable) << nth;
  }
  for (const int nth : {1, 2, 3, 4}) {  // the session, BEGIN, the first cursor
    proxy_.MeddleWith(nth, Fate::kHoldAnswer);
    EXPECT_EQ(ReasonOf(load()), ErrorReason::kStorageUnavailable) << nth;
  }
}

TEST_F(LostConnectionsTest, AStatementThatTakesTooLongFailsItsCommitOnly) {
  options_.statement_timeout = absl::Seconds(1);
  const auto store = NewStore();
  const RowChanges change = Change("alice");
  ASSERT_EQ(Commit(*store, Change("bob")).result, CommitResult::kCommitted);
  for (const char* table : {"lease", "resource", "publication"}) {
    pqxx::connection connection(database_.options().dsn);
    pqxx::work lock(connection);
    lock.exec(std::string("LOCK TABLE presence.") + table + " IN ACCESS EXCLUSIVE MODE");

    const CommitOutcome outcome = Commit(*store, change);
    lock.abort();

    EXPECT_EQ(outcome.result, CommitResult::kFailed) << table;
    LetTimePass();
    const Loaded found = Read(*store, change.key);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_FALSE(found->has_value());
  }
  EXPECT_EQ(Commit(*store, change).result, CommitResult::kCommitted);
}

}  // namespace
}  // namespace presence
