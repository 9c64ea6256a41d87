#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AlarmsTest : public EngineTest {
 protected:
  AlarmsTest() : EngineTest(EngineConfig(), UnknownWatcher::kPending) {}

  // A resource that has been published to for so long that it has counted past 32 bits.
  void CountPast32Bits() {
    RowChanges rows;
    rows.key = Key("alice");
    rows.resource.emplace();
    rows.resource->revision = {1, 1};
    rows.resource->next_ordinal = (uint64_t{1} << 32) + 7;
    // Of a resource without any part only the revision would be remembered.
    auto answer = std::make_shared<AnswerRecord>();
    answer->key = RequestKey::Of({"answer"});
    answer->kept_until = clock.Now() + absl::Hours(1);
    rows.answers.emplace_back(answer->key, answer);
    journal.Append(rows, [](const AppendOutcome&) {});
    executor.RunUntilIdle();
    StartEngine();
  }
  std::vector<WatcherView> Watchers() const {
    WatcherFilter filter;
    filter.key = Key("alice");
    return engine->ListWatchers(filter).rows;
  }
  PublishCommand Briefly(const std::string& user) {
    PublishCommand command = Publication(user, "open");
    command.expiry = absl::Seconds(60);
    return command;
  }
};

// P24 S18 W06
TEST_F(AlarmsTest, RingForRowsPastThe32BitsOfAnOrdinal) {
  config.waiting_lifetime = absl::Minutes(10);
  CountPast32Bits();
  Publish(Briefly("alice"));
  SubscribeCommand pending = Subscription("alice", "bob");
  pending.expiry = absl::Seconds(60);
  Subscribe(pending);
  Answer();
  ASSERT_GT(engine->ListSubscriptions({}).rows.at(0).subscription->ordinal, uint64_t{1} << 32);

  executor.RunFor(absl::Seconds(61));
  Answer();
  EXPECT_THAT(engine->ListPublications({}).rows, IsEmpty());
  EXPECT_THAT(engine->ListSubscriptions({}).rows, IsEmpty());
  EXPECT_EQ(Watchers().size(), 1u);
  executor.RunFor(absl::Minutes(10));

  EXPECT_THAT(Watchers(), IsEmpty());
}

// N05
TEST_F(AlarmsTest, ABackOffEndsAlsoPastThe32BitsOfAnOrdinal) {
  CountPast32Bits();
  Decide("alice", "bob", WatcherDecision::kAllow);
  Subscribe("alice", "bob");
  Fail(NotifyOutcome::kTransportError);
  Sent();

  executor.RunFor(absl::Seconds(6));

  EXPECT_THAT(Sent(), ElementsAre("bob 2 active none"));
}

TEST_F(AlarmsTest, ThoseOfOneMomentAreRungInTurnWithOtherWork) {
  use_memory = true;
  StartEngine();
  constexpr size_t kMany = 5000;
  for (size_t i = 0; i < kMany; ++i) Publish(Briefly("user" + std::to_string(i)));

  // Runs task by task: how many publications a single one ends, and what a lock was held for.
  size_t left = kMany;
  size_t most = 0;
  clock.Advance(absl::Seconds(61));
  while (left > 0 && executor.RunOne()) {
    const size_t now_left = engine->counters().publications_now;
    most = std::max(most, left - now_left);
    left = now_left;
  }

  EXPECT_EQ(left, 0u);
  EXPECT_LE(most, 256u * static_cast<size_t>(config.stripes));
  EXPECT_LE(MostRowsOfAHold(), 2 * 256u);
}

}  // namespace
}  // namespace presence
