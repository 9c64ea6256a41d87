#include "sip-gateway/locating/dead_targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace presence::sip {
namespace {

using ::testing::ElementsAre;

const Target kA{TargetProtocol::kUdp, "192.0.2.1", 5060};
const Target kB{TargetProtocol::kUdp, "192.0.2.2", 5060};
const Target kC{TargetProtocol::kTcp, "192.0.2.1", 5060};

class DeadTargetsTest : public ::testing::Test {
 protected:
  std::vector<Target> Order(std::vector<Target> targets) {
    dead_.PutLast(targets);
    return targets;
  }

  ManualClock clock_;
  DeadTargets dead_{
      {.default_duration = absl::Seconds(30), .max_duration = absl::Minutes(10), .max_entries = 3},
      clock_};
};

TEST_F(DeadTargetsTest, PutsADeadTargetLastForTheTimeGiven) {
  dead_.Mark(kA, absl::Seconds(60));

  EXPECT_THAT(Order({kA, kB, kC}), ElementsAre(kB, kC, kA)) << "tcp to the same host is another";
  clock_.Advance(absl::Seconds(59));
  EXPECT_THAT(Order({kA, kB, kC}), ElementsAre(kB, kC, kA));
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(Order({kA, kB, kC}), ElementsAre(kA, kB, kC));
}

TEST_F(DeadTargetsTest, UsesTheDefaultWhenNoTimeIsGiven) {
  dead_.Mark(kA, absl::ZeroDuration());

  clock_.Advance(absl::Seconds(29));
  EXPECT_THAT(Order({kA, kB}), ElementsAre(kB, kA));
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(Order({kA, kB}), ElementsAre(kA, kB));
}

TEST_F(DeadTargetsTest, ShortensARetryAfterOfADay) {
  dead_.Mark(kA, absl::Hours(24));

  clock_.Advance(absl::Minutes(10));

  EXPECT_THAT(Order({kA, kB}), ElementsAre(kA, kB));
}

TEST_F(DeadTargetsTest, OnlyLengthensTheTimeOfATargetMarkedTwice) {
  dead_.Mark(kA, absl::Seconds(60));
  dead_.Mark(kA, absl::Seconds(5));

  clock_.Advance(absl::Seconds(30));

  EXPECT_THAT(Order({kA, kB}), ElementsAre(kB, kA));
}

TEST_F(DeadTargetsTest, StartsWithTheFirstToComeBackWhenAllAreDead) {
  dead_.Mark(kA, absl::Seconds(60));
  dead_.Mark(kB, absl::Seconds(20));
  dead_.Mark(kC, absl::Seconds(40));

  EXPECT_THAT(Order({kA, kB, kC}), ElementsAre(kB, kC, kA)) << "a list never gets shorter";
}

TEST_F(DeadTargetsTest, ForgetsATargetThatAnswered) {
  dead_.Mark(kA, absl::Seconds(60));

  dead_.Clear(kA);
  dead_.Clear(kB);

  EXPECT_THAT(Order({kA, kB}), ElementsAre(kA, kB));
}

TEST_F(DeadTargetsTest, StaysWithinItsBound) {
  const Target d{TargetProtocol::kUdp, "192.0.2.4", 5060};
  dead_.Mark(kA, absl::Seconds(60));
  dead_.Mark(kB, absl::Seconds(20));
  dead_.Mark(kC, absl::Seconds(40));

  dead_.Mark(d, absl::Seconds(50));

  EXPECT_EQ(dead_.size(), 3u);
  EXPECT_THAT(Order({kA, kB}), ElementsAre(kB, kA)) << "the first to come back was forgotten";
  EXPECT_THAT(Order({d, kC, kB}), ElementsAre(kB, kC, d));
}

TEST_F(DeadTargetsTest, MakesRoomFromThoseThatAreBackFirst) {
  dead_.Mark(kA, absl::Seconds(10));
  dead_.Mark(kB, absl::Seconds(10));
  dead_.Mark(kC, absl::Seconds(40));
  clock_.Advance(absl::Seconds(10));

  dead_.Mark(kB, absl::Seconds(10));
  dead_.Mark({TargetProtocol::kUdp, "192.0.2.4", 5060}, absl::Seconds(10));

  EXPECT_EQ(dead_.size(), 3u);
  EXPECT_THAT(Order({kC, kA}), ElementsAre(kA, kC));
}

}  // namespace
}  // namespace presence::sip
