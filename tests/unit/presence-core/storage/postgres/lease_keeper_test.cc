#include "presence-core/storage/postgres/lease_keeper.h"

#include <atomic>
#include <optional>
#include <string>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/storage/postgres/postgres_store.h"
#include "tests/fakes/jumping_clock.h"
#include "tests/postgres/test_database.h"

namespace presence {
namespace {

using testing::HasSubstr;

class LeaseKeeperTest : public testing::Test {
 protected:
  LeaseKeeper::Options Node(std::string name) {
    LeaseKeeper::Options options;
    options.database = database_.options();
    options.node = std::move(name);
    options.address = options.node + ":7460";
    return options;
  }
  LeaseKeeper::Options Fast(std::string name) {
    LeaseKeeper::Options options = Node(std::move(name));
    options.lifetime = absl::Seconds(1);
    options.margin = absl::Milliseconds(100);
    options.renewal = absl::Milliseconds(20);
    return options;
  }
  void AwaitRenewal() {
    const std::string before = database_.Run("SELECT max(expires_at) FROM lease");
    while (database_.Run("SELECT max(expires_at) FROM lease") == before) {
    }
  }
  void TakeAway() {
    TestDatabase::RunInCluster("ALTER DATABASE " + database_.name() + " ALLOW_CONNECTIONS false");
    TestDatabase::RunInCluster(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" +
        database_.name() + "'");
  }
  void GiveBack() {
    TestDatabase::RunInCluster("ALTER DATABASE " + database_.name() + " ALLOW_CONNECTIONS true");
  }
  RowChanges Change() {
    RowChanges changes;
    changes.key = {*PresentityUri::FromText("alice@example.com"), *EventName::Parse("presence")};
    changes.resource = ResourceRow{{1, 1}, 1, NotifyCause::kNone, ""};
    return changes;
  }
  CommitOutcome Commit(RowStore& store) { return Commit(store, Change()); }
  static CommitOutcome Commit(RowStore& store, const RowChanges& change) {
    const std::vector<RowChanges> batch{change};
    CommitOutcome result;
    absl::Notification is_done;
    store.Commit(store.ShardOf(batch[0].key), batch, [&](CommitOutcome outcome) {
      result = std::move(outcome);
      is_done.Notify();
    });
    is_done.WaitForNotification();
    return result;
  }

  SystemClock clock_;
  TestDatabase database_;
};

TEST_F(LeaseKeeperTest, TakesAllShardsWithANewEpoch) {
  LeaseKeeper keeper(Node("core-1"), clock_);

  const auto lease = keeper.Take();

  ASSERT_TRUE(lease.ok()) << lease.status();
  EXPECT_TRUE(lease->is_ours);
  EXPECT_EQ(lease->shards, 4u);
  EXPECT_EQ(lease->epoch, 1u);
  EXPECT_EQ(database_.Run("SELECT count(*) FROM lease WHERE epoch = 1 AND node = 'core-1'"), "4");
}

TEST_F(LeaseKeeperTest, AnotherProcessWaitsWhileTheOwnerLives) {
  LeaseKeeper owner(Node("core-1"), clock_);
  ASSERT_TRUE(owner.Take()->is_ours);
  LeaseKeeper standby(Node("core-2"), clock_);

  const auto lease = standby.Take();

  ASSERT_TRUE(lease.ok()) << lease.status();
  EXPECT_FALSE(lease->is_ours);
  EXPECT_EQ(lease->owner, "core-1");
  EXPECT_EQ(lease->address, "core-1:7460");
  EXPECT_GT(lease->remaining, absl::ZeroDuration());
}

TEST_F(LeaseKeeperTest, OneThatWaitsKeepsItsConnectionAndOutlivesItsLoss) {
  LeaseKeeper::Options lasting = Node("core-1");
  lasting.lifetime = lasting.renewal = absl::Hours(1);
  LeaseKeeper owner(lasting, clock_);
  ASSERT_TRUE(owner.Take()->is_ours);
  LeaseKeeper standby(Node("core-2"), clock_);
  const auto sessions = [this](const std::string& what) {
    return database_.Run("SELECT " + what +
                         " FROM pg_stat_activity WHERE application_name = 'presence-core'"
                         " AND datname = current_database() AND pid <> pg_backend_pid()");
  };
  ASSERT_FALSE(standby.Take()->is_ours);
  while (sessions("count(*)") != "1") {  // that of the owner goes
  }
  const std::string session = sessions("pid");
  ASSERT_FALSE(standby.Take()->is_ours);

  EXPECT_EQ(sessions("string_agg(pid::text, ' ')"), session);

  TakeAway();
  EXPECT_FALSE(standby.Take().ok());
  GiveBack();
  EXPECT_FALSE(standby.Take()->is_ours);
}

TEST_F(LeaseKeeperTest, TheSameProcessComesBackAtOnceWithTheNextEpoch) {
  LeaseKeeper first(Node("core-1"), clock_);
  ASSERT_EQ(first.Take()->epoch, 1u);

  LeaseKeeper restarted(Node("core-1"), clock_);

  EXPECT_EQ(restarted.Take()->epoch, 2u);
}

TEST_F(LeaseKeeperTest, AReleasedLeaseIsFreeAtOnce) {
  LeaseKeeper owner(Node("core-1"), clock_);
  ASSERT_TRUE(owner.Take()->is_ours);
  owner.Release();

  LeaseKeeper next(Node("core-2"), clock_);

  const auto lease = next.Take();
  EXPECT_TRUE(lease->is_ours);
  EXPECT_EQ(lease->epoch, 2u);
}

// What watchers know is void after the crash of an owner that was ahead of what it stored, and
// until it is written down anew: however many lives lie between.
TEST_F(LeaseKeeperTest, AnOwnerThatCrashedAheadVoidsWhatWasSettledBefore) {
  LeaseKeeper::Options ahead = Node("core-1");
  ahead.is_ahead = true;
  LeaseKeeper write_back(ahead, clock_);
  EXPECT_EQ(write_back.Take()->settled_since, 0u);

  LeaseKeeper write_through(Node("core-1"), clock_);
  EXPECT_EQ(write_through.Take()->settled_since, 2u);
  LeaseKeeper third(Node("core-1"), clock_);

  EXPECT_EQ(third.Take()->settled_since, 2u) << "an owner that is never ahead voids nothing more";
}

TEST_F(LeaseKeeperTest, AnOwnerThatStoredAllBeforeItStoppedVoidsNothing) {
  LeaseKeeper::Options ahead = Node("core-1");
  ahead.is_ahead = true;
  LeaseKeeper first(ahead, clock_);
  ASSERT_TRUE(first.Take()->is_ours);
  first.Release(/*is_all_stored=*/true);
  LeaseKeeper second(ahead, clock_);
  EXPECT_EQ(second.Take()->settled_since, 0u);
  second.Release(/*is_all_stored=*/false);
  LeaseKeeper third(ahead, clock_);

  EXPECT_EQ(third.Take()->settled_since, 3u);
}

TEST_F(LeaseKeeperTest, AVoidSettledSeqIsNotGivenBackAndANewOneIs) {
  LeaseKeeper keeper(Node("core-1"), clock_);
  auto lease = keeper.Take();
  lease->settled_since = 7;
  PostgresStore store(database_.options(), clock_, *lease);
  for (const uint64_t epoch : {6, 7}) {
    RowChanges change = Change();
    change.resource->revision = {epoch, 5};
    change.resource->settled_seq = 5;
    ASSERT_EQ(Commit(store, change).result, CommitResult::kCommitted);
    std::optional<bool> is_settled;

    ASSERT_TRUE(
        store.ReadAll([&](const ResourceRows& rows) { is_settled = rows.resource.is_settled(); })
            .ok());

    EXPECT_EQ(is_settled, epoch >= 7);
  }
}

// The rows alone keep two owners apart, whatever either believes about time.
TEST_F(LeaseKeeperTest, AnOldOwnerCommitsNothingAfterATakeover) {
  LeaseKeeper owner(Node("core-1"), clock_);
  PostgresStore old_store(database_.options(), clock_, *owner.Take());
  ASSERT_EQ(Commit(old_store).result, CommitResult::kCommitted);
  database_.Run("UPDATE lease SET expires_at = 'epoch'");
  LeaseKeeper next(Node("core-2"), clock_);
  PostgresStore new_store(database_.options(), clock_, *next.Take());

  EXPECT_EQ(Commit(old_store).result, CommitResult::kFenced);
  EXPECT_EQ(Commit(new_store).result, CommitResult::kCommitted);
}

TEST_F(LeaseKeeperTest, TellsAnOwnerWhoseLeaseWasTaken) {
  absl::Notification is_lost;
  std::string why;
  LeaseKeeper::Options options = Node("core-1");
  options.renewal = absl::Milliseconds(20);
  options.on_lost = [&](std::string reason) {
    why = std::move(reason);
    is_lost.Notify();
  };
  LeaseKeeper owner(options, clock_);
  ASSERT_TRUE(owner.Take()->is_ours);
  database_.Run("UPDATE lease SET epoch = epoch + 1, node = 'core-2'");

  is_lost.WaitForNotification();

  EXPECT_THAT(why, HasSubstr("another process has taken the lease"));
}

TEST_F(LeaseKeeperTest, KeepsALeaseThatNobodyTookWhileTheDatabaseWasAway) {
  LeaseKeeper::Options options = Node("core-1");
  options.renewal = absl::Milliseconds(10);
  std::atomic<bool> is_lost = false;
  options.on_lost = [&](const std::string&) { is_lost = true; };
  LeaseKeeper owner(options, clock_);
  ASSERT_TRUE(owner.Take()->is_ours);
  TakeAway();
  GiveBack();
  database_.Run("UPDATE lease SET expires_at = 'epoch'");  // as if it had been away for long

  while (database_.Run("SELECT bool_and(expires_at > clock_timestamp()) FROM lease") != "t") {
  }

  EXPECT_FALSE(is_lost);
  EXPECT_EQ(database_.Run("SELECT max(epoch) FROM lease"), "1");
}

TEST_F(LeaseKeeperTest, RenewsForAsLongAsItLives) {
  LeaseKeeper::Options options = Node("core-1");
  options.renewal = absl::Milliseconds(10);
  std::atomic<bool> is_lost = false;
  options.on_lost = [&](const std::string&) { is_lost = true; };
  LeaseKeeper owner(options, clock_);
  ASSERT_TRUE(owner.Take()->is_ours);

  const std::string first = database_.Run("SELECT max(expires_at) FROM lease");
  while (database_.Run("SELECT max(expires_at) FROM lease") == first) {
  }

  EXPECT_FALSE(is_lost);
}

// While the database is away from everybody, one that nobody waits for goes on.
TEST_F(LeaseKeeperTest, AnOwnerThatIsAloneIsSureWhileTheDatabaseIsAway) {
  LeaseKeeper owner(Fast("core-1"), clock_);
  EXPECT_FALSE(owner.IsSure());
  ASSERT_TRUE(owner.Take()->is_ours);
  EXPECT_TRUE(owner.IsSure());

  TakeAway();

  const absl::Time end = clock_.Now() + 2 * Fast("").lifetime;
  while (clock_.Now() < end) ASSERT_TRUE(owner.IsSure());
}

TEST_F(LeaseKeeperTest, AnOwnerThatIsAwaitedIsSureNoLongerThanItsLease) {
  LeaseKeeper owner(Fast("core-1"), clock_);
  ASSERT_TRUE(owner.Take()->is_ours);
  LeaseKeeper standby(Fast("core-2"), clock_);
  ASSERT_FALSE(standby.Take()->is_ours);
  AwaitRenewal();

  TakeAway();

  const absl::Time end = clock_.Now() + Fast("").lifetime;
  while (owner.IsSure()) ASSERT_LT(clock_.Now(), end);
  GiveBack();
  while (!owner.IsSure()) {
  }
}

// As after SIGSTOP and SIGCONT: what happened meanwhile is not known until a renewal says it.
TEST_F(LeaseKeeperTest, AnOwnerThatStoodStillIsNotSureUntilItHasRenewed) {
  JumpingClock clock;
  LeaseKeeper::Options options = Node("core-1");
  options.renewal = absl::Milliseconds(50);
  LeaseKeeper owner(options, clock);
  ASSERT_TRUE(owner.Take()->is_ours);
  AwaitRenewal();
  TakeAway();

  clock.Jump(options.lifetime);

  EXPECT_FALSE(owner.IsSure());
  const absl::Time end = clock.Now() + 4 * options.renewal;  // ticks do not make it sure again
  while (clock.Now() < end) ASSERT_FALSE(owner.IsSure());
  GiveBack();
  while (!owner.IsSure()) {
  }
}

TEST_F(LeaseKeeperTest, OthersLearnWhereTheOwnerIs) {
  LeaseKeeper owner(Fast("core-1"), clock_);
  ASSERT_TRUE(owner.Take()->is_ours);
  owner.Announce("192.0.2.1:7460");
  AwaitRenewal();
  AwaitRenewal();
  LeaseKeeper standby(Fast("core-2"), clock_);

  EXPECT_EQ(standby.Take()->address, "192.0.2.1:7460");
}

}  // namespace
}  // namespace presence
