#include <algorithm>
#include <set>

#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class ListingTest : public EngineTest {};

TEST_F(ListingTest, PagesThroughPublicationsInOrderWithoutGapOrRepeat) {
  for (int i = 0; i < 25; ++i) {
    Publish("user" + std::to_string(i % 10), "text" + std::to_string(i));
  }

  PublicationFilter filter;
  filter.limit = 4;
  std::vector<std::string> users;
  std::set<std::string> etags;
  do {
    const auto page = engine->ListPublications(filter);
    for (const auto& row : page.rows) {
      users.push_back(row.key.presentity.text());
      EXPECT_TRUE(etags.insert(row.publication->etag.text()).second);
    }
    filter.after = page.next;
  } while (filter.after.has_value());

  EXPECT_THAT(users, SizeIs(25));
  EXPECT_TRUE(std::is_sorted(users.begin(), users.end()));
}

TEST_F(ListingTest, FiltersSubscriptionsByPresentityWatcherAndState) {
  Subscribe("alice", "bob");
  Subscribe("alice", "carol");
  Subscribe("dora", "bob");
  Subscribe("alice", "alice", "presence.winfo");
  SubscriptionFilter of_alice;
  of_alice.presentity = Presentity("alice");
  of_alice.event = "presence";
  SubscriptionFilter of_bob;
  of_bob.watcher = Watcher("bob");
  SubscriptionFilter pending;
  pending.state = SubscriptionState::kPending;

  EXPECT_THAT(engine->ListSubscriptions(of_alice).rows, SizeIs(2));
  EXPECT_THAT(engine->ListSubscriptions(of_bob).rows, SizeIs(2));
  EXPECT_THAT(engine->ListSubscriptions(pending).rows, SizeIs(0));
  EXPECT_THAT(engine->ListSubscriptions({}).rows, SizeIs(4));
}

TEST_F(ListingTest, ListsWatchersWithTheirDecisions) {
  Subscribe("alice", "bob");
  Subscribe("alice", "bob");
  Decide("alice", "mallory", WatcherDecision::kBlock);

  const auto page =
      engine->ListWatchers({Key("alice"), std::nullopt, std::nullopt, 100, std::nullopt});

  ASSERT_THAT(page.rows, SizeIs(2));
  EXPECT_EQ(page.rows[0].watcher.text(), "bob@example.com");
  EXPECT_EQ(page.rows[0].subscriptions, 2u);
  EXPECT_EQ(page.rows[1].decision, WatcherDecision::kBlock);
  EXPECT_EQ(page.rows[1].state, SubscriptionState::kTerminated);
}

// S15
TEST_F(ListingTest, FindsAWatcherByItsOtherUri) {
  SubscribeCommand bob = Subscription("alice", "bob");
  bob.alias = Watcher("phone");
  Subscribe(bob);
  Subscribe("alice", "carol");
  Decide("alice", "phone", WatcherDecision::kAllow);

  const auto page =
      engine->ListWatchers({Key("alice"), Watcher("phone"), std::nullopt, 100, std::nullopt});
  SubscriptionFilter of_phone;
  of_phone.watcher = Watcher("phone");

  ASSERT_THAT(page.rows, SizeIs(1));
  EXPECT_EQ(page.rows[0].watcher, Watcher("phone"));
  EXPECT_EQ(page.rows[0].subscriptions, 1u);
  EXPECT_EQ(page.rows[0].decision, WatcherDecision::kAllow);
  ASSERT_THAT(engine->ListSubscriptions(of_phone).rows, SizeIs(1));
}

TEST_F(ListingTest, FindsOnePublicationByEtagOrContact) {
  const Etag etag = Publish("alice", "sip:alice@desk")->etag;
  Publish("alice", "sip:alice@mobile");

  const auto by_etag = engine->GetState({Key("alice"), Event("presence"), std::nullopt, etag, ""});
  const auto by_contact =
      engine->GetState({Key("alice"), Event("presence"), std::nullopt, {}, "sip:alice@mobile"});
  const auto unknown =
      engine->GetState({Key("alice"), Event("presence"), std::nullopt, Etag("x"), ""});

  EXPECT_EQ(by_etag->document->body(), "sip:alice@desk");
  EXPECT_EQ(by_contact->document->body(), "sip:alice@mobile");
  EXPECT_EQ(ReasonOf(unknown.status()), ErrorReason::kPublicationUnknown);
}

// O01
TEST_F(ListingTest, ResendTellsEveryActiveWatcherTheStateAgain) {
  Publish("alice", "open");
  Subscribe("alice", "bob");
  Answer();
  Sent();

  RefreshOutcome outcome;
  engine->ReloadState(Key("alice"), std::nullopt, [&](auto result) { outcome = *result; });
  executor.RunUntilIdle();

  EXPECT_EQ(outcome.notified, 1u);
  EXPECT_THAT(Sent(), ElementsAre("bob 2 active open"));
}

}  // namespace
}  // namespace presence
