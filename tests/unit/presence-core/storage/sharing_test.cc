#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/model/error.h"
#include "presence-core/storage/gateway_group.h"
#include "presence-core/storage/lease_term.h"
#include "presence-core/storage/shared_changes.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ResourceKey Key(const std::string& user) {
  return {*PresentityUri::Parse("sip:" + user + "@example.com"), *EventName::Parse("presence")};
}

// ---- gateway groups

GatewayGroup Stored(const std::string& core, uint64_t fence, size_t others = 0) {
  return {"edge", core, "192.0.2.1:5070", /*core_lives=*/true, fence, others};
}

TEST(GatewayGroupsTest, AGroupIsTakenFromACoreThatHasNoOtherGatewayOfIt) {
  GatewayGroups groups("a");

  const auto claim = groups.Decide(Stored("b", 3));

  ASSERT_TRUE(claim.ok());
  EXPECT_TRUE(claim->takes);
  EXPECT_EQ(claim->fence, 4u);
  EXPECT_TRUE(groups.OnStored("edge", *claim));
}

TEST(GatewayGroupsTest, AGatewayIsSentToTheCoreThatHasTheOthers) {
  const GatewayGroups groups("a");

  const auto claim = groups.Decide(Stored("b", 3, 1));

  EXPECT_EQ(ReasonOf(claim.status()), ErrorReason::kCoreUnreachable);
}

TEST(GatewayGroupsTest, AGroupThatNeverLeftIsNotAdoptedAgain) {
  GatewayGroups groups("a");
  groups.OnStored("edge", *groups.Decide(Stored("b", 3)));

  EXPECT_FALSE(groups.OnStored("edge", *groups.Decide(Stored("a", 4))));
}

TEST(GatewayGroupsTest, AGroupIsAdoptedAlthoughTheAnswerToTheClaimThatTookItWasLost) {
  GatewayGroups groups("a");
  groups.OnStored("edge", *groups.Decide(Stored("b", 3)));
  // Another had it meanwhile, and this core has taken it back without hearing that it has.
  ASSERT_TRUE(groups.Decide(Stored("b", 5)).ok());

  EXPECT_TRUE(groups.OnStored("edge", *groups.Decide(Stored("a", 6))));
}

// ---- changes

TEST(SharedChangesTest, WhatOneSaysTheOthersHear) {
  ChangesToSay changes("a");
  EXPECT_TRUE(changes.Add({Key("alice"), Key("bob")}));
  EXPECT_FALSE(changes.Add({Key("alice")}));

  const ChangesToSay::Taken taken = changes.Take();

  ASSERT_EQ(taken.payloads.size(), 1u);
  EXPECT_THAT(HeardFrom(taken.payloads[0], "b").keys, ElementsAre(Key("alice"), Key("bob")));
  EXPECT_THAT(HeardFrom(taken.payloads[0], "a").keys, IsEmpty());
}

TEST(SharedChangesTest, WhatCouldNotBeSaidIsSaidLater) {
  ChangesToSay changes("a");
  changes.Add({Key("alice")});
  EXPECT_TRUE(changes.PutBack(changes.Take()));
  EXPECT_FALSE(changes.Add({Key("bob")}));

  EXPECT_EQ(changes.Take().keys.size(), 2u);
}

// Both stand in one payload, and neither hides the other.
TEST(SharedChangesTest, AnythingIsHeardBesideNames) {
  ChangesToSay changes("a");
  changes.Add(std::vector<ResourceKey>(100'001, Key("alice")));
  changes.Add({Key("bob")});

  const ChangesToSay::Taken taken = changes.Take();

  ASSERT_EQ(taken.payloads.size(), 1u);
  const ChangesHeard heard = HeardFrom(taken.payloads[0], "b");
  EXPECT_TRUE(heard.may_be_anything);
  EXPECT_THAT(heard.keys, ElementsAre(Key("bob")));
}

TEST(SharedChangesTest, OneThatBeginsTellsTheOthersToLookAtEverything) {
  ChangesToSay changes("a");
  EXPECT_TRUE(changes.AddAnything());

  const ChangesToSay::Taken taken = changes.Take();

  ASSERT_EQ(taken.payloads.size(), 1u);
  EXPECT_TRUE(HeardFrom(taken.payloads[0], "b").may_be_anything);
}

// ---- the lease

TEST(LeaseTermTest, OneThatFallsSilentIsNoticedOnce) {
  const absl::Time now = absl::FromUnixSeconds(1000);
  LeaseTerm term(absl::Seconds(4), absl::Seconds(1), now, now, /*is_awaited=*/false);

  EXPECT_FALSE(term.OnRenewed(now, now, true, {"b", "c"}));
  EXPECT_TRUE(term.OnRenewed(now, now, true, {"b"}));
  EXPECT_FALSE(term.OnRenewed(now, now, true, {"b"}));
  EXPECT_FALSE(term.OnRenewed(now, now, true, {"b", "c"}));
}

TEST(LeaseTermTest, OneThatIsAwaitedIsSureUntilShortlyBeforeTheEnd) {
  const absl::Time now = absl::FromUnixSeconds(1000);
  LeaseTerm term(absl::Seconds(4), absl::Seconds(1), now, now, /*is_awaited=*/true);
  term.OnTick(now + absl::Seconds(2));

  EXPECT_TRUE(term.IsSure(now + absl::Seconds(2)));
  EXPECT_FALSE(term.IsSure(now + absl::Seconds(3)));
}

}  // namespace
}  // namespace presence
