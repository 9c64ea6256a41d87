#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/model/error.h"
#include "presence-core/storage/postgres/change_signal.h"
#include "presence-core/storage/postgres/gateway_sessions.h"
#include "presence-core/storage/postgres/lease_keeper.h"
#include "tests/postgres/test_database.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr absl::Duration kLifetime = absl::Seconds(1);

class SharedLeaseTest : public testing::Test {
 protected:
  LeaseKeeper::Options Core(std::string name) {
    LeaseKeeper::Options options;
    options.database = database_.options();
    options.node = std::move(name);
    options.address = options.node + ":7460";
    options.is_shared = true;
    options.lifetime = kLifetime;
    options.margin = absl::Milliseconds(100);
    options.renewal = absl::Milliseconds(20);
    return options;
  }
  LeaseKeeper::Options Owner(std::string name) {
    LeaseKeeper::Options options = Core(std::move(name));
    options.is_shared = false;
    return options;
  }
  static ResourceKey Key(const std::string& user) {
    return {*PresentityUri::FromText(user + "@example.com"), *EventName::Parse("presence")};
  }
  absl::StatusOr<bool> Claim(GatewaySessions& sessions, const std::string& group,
                             const std::string& gateway) {
    absl::StatusOr<bool> result = absl::UnknownError("never answered");
    absl::Notification is_done;
    sessions.Claim(group, gateway, [&](absl::StatusOr<bool> claimed) {
      result = std::move(claimed);
      is_done.Notify();
    });
    is_done.WaitForNotification();
    return result;
  }
  std::unique_ptr<GatewaySessions> SessionsOf(const std::string& name) {
    return std::make_unique<GatewaySessions>(database_.options(), name, 4, kLifetime, clock_);
  }

  SystemClock clock_;
  TestDatabase database_;
};

TEST_F(SharedLeaseTest, SeveralHaveItInOneEpoch) {
  LeaseKeeper first(Core("core-1"), clock_);
  LeaseKeeper second(Core("core-2"), clock_);

  const auto one = first.Take();
  const auto two = second.Take();

  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_TRUE(one->is_ours && two->is_ours);
  EXPECT_EQ(one->epoch, two->epoch);
  EXPECT_TRUE(first.IsSure() && second.IsSure());
  EXPECT_EQ(database_.Run("SELECT string_agg(name || ' ' || address, ',' ORDER BY name) FROM node "
                          "WHERE serves AND shard = 0"),
            "core-1 core-1:7460,core-2 core-2:7460");
}

TEST_F(SharedLeaseTest, OneThatWantsItAloneWaitsForTheLast) {
  LeaseKeeper first(Core("core-1"), clock_);
  LeaseKeeper second(Core("core-2"), clock_);
  ASSERT_TRUE(first.Take()->is_ours);
  ASSERT_TRUE(second.Take()->is_ours);
  LeaseKeeper alone(Owner("core-3"), clock_);

  first.Release();
  const auto refused = alone.Take();
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_FALSE(refused->is_ours);
  EXPECT_THAT(refused->owner, HasSubstr("several cores"));
  second.Release();

  const auto lease = alone.Take();
  ASSERT_TRUE(lease.ok()) << lease.status();
  EXPECT_TRUE(lease->is_ours);
  EXPECT_EQ(lease->epoch, refused->epoch + 2) << "the epoch of those before, and one more";
}

TEST_F(SharedLeaseTest, NobodySharesWhatOneHasAlone) {
  LeaseKeeper alone(Owner("core-1"), clock_);
  ASSERT_TRUE(alone.Take()->is_ours);
  LeaseKeeper sharing(Core("core-2"), clock_);

  EXPECT_FALSE(sharing.Take()->is_ours);
  alone.Release();
  EXPECT_TRUE(sharing.Take()->is_ours);
}

TEST_F(SharedLeaseTest, TheOthersNoticeOneThatFallsSilent) {
  absl::Notification is_silent;
  LeaseKeeper::Options options = Core("core-1");
  options.on_silence = [&] {
    if (!is_silent.HasBeenNotified()) is_silent.Notify();
  };
  LeaseKeeper first(std::move(options), clock_);
  ASSERT_TRUE(first.Take()->is_ours);
  {
    LeaseKeeper second(Core("core-2"), clock_);
    ASSERT_TRUE(second.Take()->is_ours);
    // The first has seen it.
    while (database_.Run("SELECT count(*) FROM node WHERE name = 'core-1'") == "0") {
    }
    const std::string before = database_.Run("SELECT max(expires_at) FROM lease");
    for (int renewals = 0; renewals < 20; ++renewals) {
      while (database_.Run("SELECT max(expires_at) FROM lease") == before) {
      }
    }
  }
  is_silent.WaitForNotification();
}

TEST_F(SharedLeaseTest, AGroupIsInstructedWhereItsGatewaysAre) {
  LeaseKeeper first(Core("core-1"), clock_);
  LeaseKeeper second(Core("core-2"), clock_);
  ASSERT_TRUE(first.Take()->is_ours && second.Take()->is_ours);
  const auto one = SessionsOf("core-1");
  const auto two = SessionsOf("core-2");

  EXPECT_THAT(Claim(*one, "edge", "edge-1"), absl::StatusOr<bool>(true));
  EXPECT_THAT(Claim(*one, "edge", "edge-2"), absl::StatusOr<bool>(false));
  const auto refused = Claim(*two, "edge", "edge-2");
  EXPECT_EQ(ReasonOf(refused.status()), ErrorReason::kCoreUnreachable);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("core-1 at core-1:7460"));
  // Another group goes where it likes.
  EXPECT_THAT(Claim(*two, "other", "other-1"), absl::StatusOr<bool>(true));
}

// It can be told through one core only, so it may bring its group along.
TEST_F(SharedLeaseTest, TheLastGatewayOfAGroupBringsItAlong) {
  LeaseKeeper first(Core("core-1"), clock_);
  LeaseKeeper second(Core("core-2"), clock_);
  ASSERT_TRUE(first.Take()->is_ours && second.Take()->is_ours);
  const auto one = SessionsOf("core-1");
  const auto two = SessionsOf("core-2");
  ASSERT_THAT(Claim(*one, "edge", "edge-1"), absl::StatusOr<bool>(true));

  EXPECT_THAT(Claim(*two, "edge", "edge-1"), absl::StatusOr<bool>(true));
  // What the first says of it now counts for nothing.
  one->Leave("edge", "edge-1");
  EXPECT_EQ(ReasonOf(Claim(*one, "edge", "edge-2").status()), ErrorReason::kCoreUnreachable);
  two->Leave("edge", "edge-1");
  ASSERT_THAT(Claim(*two, "edge", "edge-1"), absl::StatusOr<bool>(false)) << "it was nowhere else";
  EXPECT_EQ(database_.Run("SELECT fence FROM gateway_session"), "2");
}

// A gateway that it knew may be gone for good, and would hold the others of its group back.
TEST_F(SharedLeaseTest, ACoreThatBeginsAgainHasNoGateways) {
  LeaseKeeper first(Core("core-1"), clock_);
  LeaseKeeper second(Core("core-2"), clock_);
  ASSERT_TRUE(first.Take()->is_ours && second.Take()->is_ours);
  ASSERT_TRUE(Claim(*SessionsOf("core-1"), "edge", "edge-1").ok());
  const auto two = SessionsOf("core-2");
  ASSERT_FALSE(Claim(*two, "edge", "edge-2").ok());

  const auto again = SessionsOf("core-1");
  ASSERT_TRUE(Claim(*again, "other", "other-1").ok());

  EXPECT_THAT(Claim(*two, "edge", "edge-2"), absl::StatusOr<bool>(true));
}

TEST_F(SharedLeaseTest, AGroupOfADeadCoreIsTaken) {
  LeaseKeeper second(Core("core-2"), clock_);
  {
    LeaseKeeper first(Core("core-1"), clock_);
    ASSERT_TRUE(first.Take()->is_ours && second.Take()->is_ours);
    const auto one = SessionsOf("core-1");
    ASSERT_THAT(Claim(*one, "edge", "edge-1"), absl::StatusOr<bool>(true));
    ASSERT_THAT(Claim(*one, "edge", "edge-2"), absl::StatusOr<bool>(false));
  }
  const auto two = SessionsOf("core-2");

  while (!Claim(*two, "edge", "edge-2").ok()) {
  }

  EXPECT_EQ(database_.Run("SELECT core || ' ' || gateways::text FROM gateway_session"),
            "core-2 {edge-2}");
}

// Hears what others say, and remembers it.
class Ear {
 public:
  ChangeSignal::Listener Listener() {
    return {[this](const std::vector<ResourceKey>& keys) {
              absl::MutexLock lock(&mu_);
              heard_.insert(heard_.end(), keys.begin(), keys.end());
            },
            [this] {
              absl::MutexLock lock(&mu_);
              ++gaps_;
            }};
  }
  std::vector<ResourceKey> AwaitKeys(size_t count) {
    absl::MutexLock lock(&mu_);
    const auto has_all = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return heard_.size() >= count; };
    mu_.Await(absl::Condition(&has_all));
    return heard_;
  }
  void AwaitGaps(int count) {
    absl::MutexLock lock(&mu_);
    const auto has_all = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return gaps_ >= count; };
    mu_.Await(absl::Condition(&has_all));
  }

 private:
  absl::Mutex mu_;
  std::vector<ResourceKey> heard_ ABSL_GUARDED_BY(mu_);
  int gaps_ ABSL_GUARDED_BY(mu_) = 0;
};

TEST_F(SharedLeaseTest, WhatOneSaysTheOthersHearAndItselfDoesNot) {
  Ear own;
  Ear other;
  ChangeSignal first(database_.options(), "core-1", clock_);
  ChangeSignal second(database_.options(), "core-2", clock_);
  first.Listen(own.Listener());
  second.Listen(other.Listener());
  own.AwaitGaps(1);
  other.AwaitGaps(1);

  first.Send({Key("alice"), Key("b ob")});
  EXPECT_THAT(other.AwaitKeys(2), ElementsAre(Key("alice"), Key("b ob")));
  second.Send({Key("carol")});
  EXPECT_THAT(own.AwaitKeys(1), ElementsAre(Key("carol")));
}

TEST_F(SharedLeaseTest, WhoMayHaveMissedSomethingIsToldSo) {
  Ear ear;
  ChangeSignal signal(database_.options(), "core-1", clock_);
  signal.Listen(ear.Listener());
  ear.AwaitGaps(1);

  TestDatabase::RunInCluster(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" +
      database_.name() + "'");
  ear.AwaitGaps(2);

  ChangeSignal other(database_.options(), "core-2", clock_);
  other.Send({Key(std::string(7000, 'x'))});
  ear.AwaitGaps(3);
}

TEST_F(SharedLeaseTest, ManyNamesAreTold) {
  Ear ear;
  ChangeSignal listening(database_.options(), "core-1", clock_);
  listening.Listen(ear.Listener());
  ear.AwaitGaps(1);
  std::vector<ResourceKey> keys;
  for (int i = 0; i < 5000; ++i) keys.push_back(Key("user" + std::to_string(i)));
  ChangeSignal saying(database_.options(), "core-2", clock_);

  saying.Send(keys);

  EXPECT_THAT(ear.AwaitKeys(keys.size()), testing::UnorderedElementsAreArray(keys));
}

}  // namespace
}  // namespace presence
