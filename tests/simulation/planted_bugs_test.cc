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
  StorageMode mode;
  Invariant invariant;
  uint64_t seeds;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << NameOf(c.plant) << " in " << NameOf(c.mode);
}

class PlantedBugTest : public testing::TestWithParam<Case> {};

TEST_P(PlantedBugTest, IsFound) {
  const auto [plant, mode, invariant, seeds] = GetParam();
  const Invariant wanted = invariant;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const Verdict verdict = Simulate({.seed = seed, .plant = plant, .mode = mode});
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
    testing::Values(
        Case{Plant::kDroppedInstruction, StorageMode::kScripted, Invariant::kLastState, 60},
        Case{Plant::kReusedCseq, StorageMode::kScripted, Invariant::kCseq, 20},
        Case{Plant::kAnswerBeforeCommit, StorageMode::kScripted, Invariant::kDurableFirst, 20},
        Case{Plant::kForgottenLimit, StorageMode::kScripted, Invariant::kCseq, 20},
        Case{Plant::kForgottenEnd, StorageMode::kScripted, Invariant::kAfterEnd, 20},
        Case{Plant::kForgottenRequest, StorageMode::kScripted, Invariant::kRepeated, 100},
        Case{Plant::kLostWatcher, StorageMode::kScripted, Invariant::kWinfo, 60},
        Case{Plant::kIdleSweep, StorageMode::kScripted, Invariant::kExpiry, 100},
        Case{Plant::kLostChange, StorageMode::kScripted, Invariant::kLastState, 200},
        Case{Plant::kMissedReset, StorageMode::kScripted, Invariant::kResume, 20},
        Case{Plant::kIgnoredToken, StorageMode::kScripted, Invariant::kResume, 20},
        Case{Plant::kEarlyCommit, StorageMode::kWriteThrough, Invariant::kDurableFirst, 20},
        Case{Plant::kUnknownIsFailure, StorageMode::kWriteThrough, Invariant::kShown, 20},
        Case{Plant::kLateLimit, StorageMode::kWriteBack, Invariant::kCseq, 20},
        Case{Plant::kForgottenDeletion, StorageMode::kWriteBack, Invariant::kFlushed, 20},
        Case{Plant::kFencedGoesOn, StorageMode::kWriteBack, Invariant::kFenced, 40},
        Case{Plant::kFencedGoesOn, StorageMode::kWriteThrough, Invariant::kFenced, 40},
        Case{Plant::kPromisedFirst, StorageMode::kWriteBackWriteThrough, Invariant::kFlushed, 20},
        Case{Plant::kPromisedFirst, StorageMode::kWriteThroughWriteBack, Invariant::kFlushed, 20},
        Case{Plant::kLateLimit, StorageMode::kWriteThroughWriteBack, Invariant::kCseq, 20},
        Case{Plant::kForgottenDeletion, StorageMode::kWriteBackWriteThrough, Invariant::kFlushed,
             20},
        Case{Plant::kLateClaim, StorageMode::kDbOnly, Invariant::kShown, 20},
        Case{Plant::kDeafCore, StorageMode::kDbOnly, Invariant::kLastState, 100},
        Case{Plant::kUnclaimedCseq, StorageMode::kDbOnly, Invariant::kCseq, 20}),
    [](const testing::TestParamInfo<Case>& one) {
      std::string name = fmt::format("{}_in_{}", NameOf(one.param.plant), NameOf(one.param.mode));
      for (const char separator : {'-', '/'}) {
        std::replace(name.begin(), name.end(), separator, '_');
      }
      return name;
    });

}  // namespace
}  // namespace presence::simulation
