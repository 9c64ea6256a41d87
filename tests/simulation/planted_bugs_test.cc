#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/simulation/simulation.h"

namespace presence::simulation {
namespace {

// A simulation that finds nothing may be blind. Each case puts in one bug, at a seam, and asks that
// the invariant made for its kind break within so many seeds.
struct Case {
  Plant plant;
  Invariant invariant;
  uint64_t seeds;
};
void PrintTo(const Case& c, std::ostream* out) { *out << NameOf(c.plant); }

class PlantedBugTest : public testing::TestWithParam<Case> {};

TEST_P(PlantedBugTest, IsFound) {
  const auto [plant, invariant, seeds] = GetParam();
  const Invariant wanted = invariant;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const Verdict verdict = Simulate({.seed = seed, .plant = plant});
    const bool is_found =
        std::any_of(verdict.violations.begin(), verdict.violations.end(),
                    [wanted](const Violation& violation) { return violation.invariant == wanted; });
    if (is_found) {
      fmt::print("{} found by seed {}\n", NameOf(plant), seed);
      return;
    }
  }
  FAIL() << NameOf(plant) << " was not found as a breach of: " << NameOf(wanted);
}

INSTANTIATE_TEST_SUITE_P(
    OfEveryKind, PlantedBugTest,
    testing::Values(Case{Plant::kDroppedInstruction, Invariant::kLastState, 60},
                    Case{Plant::kReusedCseq, Invariant::kCseq, 20},
                    Case{Plant::kAnswerBeforeCommit, Invariant::kDurableFirst, 20},
                    Case{Plant::kForgottenLimit, Invariant::kCseq, 20},
                    Case{Plant::kForgottenEnd, Invariant::kAfterEnd, 20},
                    Case{Plant::kForgottenRequest, Invariant::kRepeated, 100},
                    Case{Plant::kLostWatcher, Invariant::kWinfo, 60},
                    Case{Plant::kIdleSweep, Invariant::kExpiry, 100},
                    Case{Plant::kLostChange, Invariant::kLastState, 60},
                    Case{Plant::kMissedReset, Invariant::kResume, 20},
                    Case{Plant::kIgnoredToken, Invariant::kResume, 20}),
    [](const testing::TestParamInfo<Case>& one) {
      std::string name(NameOf(one.param.plant));
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

}  // namespace
}  // namespace presence::simulation
