#include "tests/simulation/simulation.h"

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

INSTANTIATE_TEST_SUITE_P(Seeds, SimulationTest,
                         testing::Range<uint64_t>(1, kSeeds + 1, kSeeds / 6));

}  // namespace
}  // namespace presence::simulation
