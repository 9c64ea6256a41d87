#include "tests/simulation/simulation.h"

#include <algorithm>
#include <string>
#include <variant>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence::simulation {
namespace {

constexpr uint64_t kSeeds = 300;

class SimulationTest : public testing::TestWithParam<uint64_t> {};

// S18, P20, P21, P24, N06, W03, W05, W07 and all that reliability asks for; the invariants are
// those of history_checker.h.
TEST_P(SimulationTest, KeepsEveryInvariantWhateverFails) {
  const uint64_t first = GetParam();
  for (uint64_t seed = first; seed < first + kSeeds / 6; ++seed) {
    const Scenario scenario{.seed = seed};

    const Verdict verdict = Simulate(scenario);

    ASSERT_TRUE(verdict.violations.empty()) << Report(scenario, verdict);
  }
}

template <typename What>
int64_t CountOf(const History& history) {
  return std::count_if(history.begin(), history.end(),
                       [](const Event& event) { return std::holds_alternative<What>(event.what); });
}

// A run in which nothing went wrong says nothing.
TEST(SimulatedDatabaseTest, GoesWrongInEveryWay) {
  History history;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const Verdict verdict = Simulate({.seed = seed, .mode = StorageMode::kWriteBack});
    history.insert(history.end(), verdict.history.begin(), verdict.history.end());
  }

  EXPECT_GT(CountOf<DatabaseTrouble>(history), 50);
  EXPECT_GT(CountOf<CoreDied>(history), 10);
  EXPECT_GT(CountOf<TakenOver>(history), 0);
  EXPECT_GT(CountOf<Refused>(history), 0);
  EXPECT_GT(CountOf<Waiting>(history), 50);
  EXPECT_GT(CountOf<Dropped>(history), 0);
  // Rows coalesce on their way to the database.
  EXPECT_GT(CountOf<Stored>(history), 100);
  EXPECT_GT(CountOf<Durable>(history), CountOf<Stored>(history));
}

TEST(SeveralCoresTest, GoWrongInEveryWay) {
  History history;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const Verdict verdict = Simulate({.seed = seed, .mode = StorageMode::kDbOnly});
    history.insert(history.end(), verdict.history.begin(), verdict.history.end());
  }

  EXPECT_GT(CountOf<CoreDied>(history), 20);
  EXPECT_GT(CountOf<GroupTaken>(history), 60);
  for (const std::string core : {"core-1", "core-2"}) {
    const auto is_its = [&core](const Event& event) {
      const auto* durable = std::get_if<Durable>(&event.what);
      return durable != nullptr && durable->core == core;
    };
    EXPECT_GT(std::count_if(history.begin(), history.end(), is_its), 50) << core;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SimulationTest,
                         testing::Range<uint64_t>(1, kSeeds + 1, kSeeds / 6));

}  // namespace
}  // namespace presence::simulation
