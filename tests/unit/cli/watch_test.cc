#include <algorithm>

#include <gmock/gmock.h>

#include "absl/strings/str_split.h"
#include "tests/unit/cli/cli_test_base.h"
#include "tests/unit/cli/contract_status.h"

namespace presence::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::Not;

const grpc::Status kGone(grpc::UNAVAILABLE, "Socket closed");

class WatchCommandTest : public CliTest {};

TEST_F(WatchCommandTest, PrintsTheSnapshotThenOneLineAChangeWithItsTime) {
  fake_.ScriptWatch({{StateItem("t1", "", 0), SnapshotDoneItem("t1"), StateItem("t2", "open", 1),
                      StateItem("t3", "closed", 2, v1::NOTIFY_CAUSE_ADMIN),
                      StateItem("t4", "", 3, v1::NOTIFY_CAUSE_EXPIRY)},
                     std::nullopt});

  const Outcome run = Presencectl("watch alice@example.com --count 4");

  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out,
            "snapshot      alice@example.com  presence  no publication  1:0\n"
            "22:13:20.000  alice@example.com  presence  open \"At my desk\"  1:1\n"
            "22:13:20.000  alice@example.com  presence  closed \"At my desk\"  1:2  (admin)\n"
            "22:13:20.000  alice@example.com  presence  no publication  1:3  (expiry)\n");
  EXPECT_EQ(run.err, "presencectl: watched 1 target for 0s: 4 states, 0 reconnects\n");
}

TEST_F(WatchCommandTest, AsksForEveryUserAndEvent) {
  Presencectl(
      "watch a@b.org c@d.org -e presence -e dialog --watcher sip:w@x.org --heartbeat 3s --resume "
      "t9 --count 1");

  const v1::WatchRequest request = fake_.watches().at(0);
  ASSERT_EQ(request.targets_size(), 4);
  EXPECT_EQ(request.targets(0).presentity(), "a@b.org");
  EXPECT_EQ(request.targets(1).event(), "dialog");
  EXPECT_EQ(request.targets(3).presentity(), "c@d.org");
  EXPECT_EQ(request.watcher(), "sip:w@x.org");
  EXPECT_EQ(request.heartbeat().seconds(), 3);
  EXPECT_EQ(request.resume_token(), "t9");
}

TEST_F(WatchCommandTest, AnInterruptPrintsASummaryAndIs130) {
  fake_.OnIdleWatch([this] { interrupt_.request_stop(); });

  const Outcome run = Presencectl("watch alice@example.com");

  EXPECT_EQ(run.exit_code, 130);
  EXPECT_THAT(run.err, HasSubstr("presencectl: watched 1 target for 0s: "));
}

TEST_F(WatchCommandTest, ForEndsItByItself) {
  const Outcome run = Presencectl("watch alice@example.com --for 30ms");

  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.err, HasSubstr("1 state, 0 reconnects"));
}

TEST_F(WatchCommandTest, ABrokenStreamIsResumedWhereItBroke) {
  fake_.ScriptWatch({{StateItem("t1", "open", 1), SnapshotDoneItem("t2")}, kGone});
  fake_.ScriptWatch({{SnapshotDoneItem("t2"), StateItem("t3", "closed", 2)}, std::nullopt});

  const Outcome run = Presencectl("watch alice@example.com --count 2");

  EXPECT_EQ(run.exit_code, 0);
  ASSERT_EQ(fake_.watches().size(), 2u);
  EXPECT_EQ(fake_.watches()[0].resume_token(), "");
  EXPECT_EQ(fake_.watches()[1].resume_token(), "t2");
  EXPECT_THAT(run.err, HasSubstr("connection lost (UNAVAILABLE: "));
  EXPECT_THAT(run.err, HasSubstr("attempt 1"));
  EXPECT_THAT(run.err, HasSubstr("connected again"));
  EXPECT_THAT(run.err, HasSubstr("2 states, 1 reconnect\n"));
}

TEST_F(WatchCommandTest, AServerThatEndsTheStreamProperlyIsConnectedToAgain) {
  fake_.ScriptWatch({{StateItem("t1", "open", 1)}, grpc::Status::OK});
  fake_.ScriptWatch({{StateItem("t2", "closed", 2)}, std::nullopt});

  EXPECT_EQ(Presencectl("watch alice@example.com --count 2").exit_code, 0);
}

TEST_F(WatchCommandTest, PausesDoubleUpToTenSecondsAndStartAnewAfterSuccess) {
  fake_.ScriptWatch({{StateItem("t1", "open", 1)}, kGone});
  for (int i = 0; i < 7; ++i) fake_.ScriptWatch({{}, kGone});
  fake_.ScriptWatch({{StateItem("t2", "closed", 2)}, kGone});
  fake_.ScriptWatch({{StateItem("t3", "open", 3)}, std::nullopt});

  const Outcome run = Presencectl("watch alice@example.com --count 3");

  EXPECT_EQ(run.exit_code, 0);
  const std::vector<int> longest = {250, 500, 1000, 2000, 4000, 8000, 10000, 10000, 250};
  ASSERT_EQ(pauses_.size(), longest.size());
  for (std::size_t i = 0; i < longest.size(); ++i) {
    EXPECT_THAT(pauses_[i],
                AllOf(Ge(absl::Milliseconds(longest[i]) / 2), Le(absl::Milliseconds(longest[i]))))
        << i;
  }
}

TEST_F(WatchCommandTest, ItsTimeGoesOnWhileTheServerIsAway) {
  fake_.ScriptWatch({{StateItem("t1", "open", 1)}, kGone});
  for (int i = 0; i < 20; ++i) fake_.ScriptWatch({{}, kGone});

  const Outcome run = Presencectl("watch alice@example.com --for 20s");

  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.err, HasSubstr("watched 1 target for 20s: 1 state"));
}

TEST_F(WatchCommandTest, AnInterruptDuringAPauseIs130) {
  fake_.ScriptWatch({{StateItem("t1", "open", 1)}, kGone});
  for (int i = 0; i < 3; ++i) fake_.ScriptWatch({{}, kGone});
  fake_.OnIdleWatch([this] { interrupt_.request_stop(); });

  EXPECT_EQ(Presencectl("watch alice@example.com").exit_code, 130);
}

TEST_F(WatchCommandTest, SilenceLongerThanAllowedCountsAsABrokenConnection) {
  fake_.ScriptWatch({{StateItem("t1", "open", 1)}, std::nullopt});
  fake_.ScriptWatch({{StateItem("t2", "closed", 2)}, std::nullopt});

  const Outcome run = Presencectl("watch alice@example.com --silence 20ms --count 2");

  EXPECT_EQ(run.exit_code, 0);
  EXPECT_THAT(run.err, HasSubstr("not even a heartbeat for 20ms"));
}

TEST_F(WatchCommandTest, AServerThatNeverBeginsTheStreamIsATimeout) {
  fake_.ScriptWatch({{}, std::nullopt});

  const Outcome run = Presencectl("watch alice@example.com --timeout 20ms");

  EXPECT_EQ(run.exit_code, 7);
  EXPECT_THAT(run.err, HasSubstr("DEADLINE_EXCEEDED: not even a heartbeat for 20ms"));
}

TEST_F(WatchCommandTest, ATokenThatIsRefusedIsDroppedAndStatesComeInFull) {
  fake_.ScriptWatch({{StateItem("t1", "open", 1)}, kGone});
  fake_.ScriptWatch({{}, StatusFor(v1::ERROR_REASON_BAD_TOKEN, "not ours")});
  fake_.ScriptWatch({{StateItem("n1", "open", 1)}, std::nullopt});

  const Outcome run = Presencectl("watch alice@example.com --count 2");

  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(fake_.watches().at(1).resume_token(), "t1");
  EXPECT_EQ(fake_.watches().at(2).resume_token(), "");
  EXPECT_THAT(run.err, HasSubstr("no longer knows where we were"));
}

TEST_F(WatchCommandTest, ATokenGivenByTheUserThatIsRefusedIsAnError) {
  fake_.ScriptWatch({{}, StatusFor(v1::ERROR_REASON_BAD_TOKEN, "not ours")});

  const Outcome run = Presencectl("watch alice@example.com --resume nonsense");

  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("try: start anew without --resume"));
}

TEST_F(WatchCommandTest, WhatDoesNotPassEndsItEvenAfterItWorked) {
  fake_.ScriptWatch({{StateItem("t1", "open", 1)}, kGone});
  fake_.ScriptWatch({{}, StatusFor(v1::ERROR_REASON_TOKEN_EXPIRED, "expired")});

  EXPECT_EQ(Presencectl("watch alice@example.com").exit_code, 5);
  EXPECT_EQ(pauses_.size(), 1u);
}

TEST_F(WatchCommandTest, AFirstConnectionThatFailsIsNotRepeated) {
  variables_["PRESENCE_SERVER"] = "unix:/nowhere/at/all";

  EXPECT_EQ(Presencectl("watch alice@example.com").exit_code, 4);
  EXPECT_TRUE(pauses_.empty());
}

TEST_F(WatchCommandTest, ARefusedWatcherIsFiveAndToldWhoCanHelp) {
  fake_.ScriptWatch({{}, StatusFor(v1::ERROR_REASON_WATCHER_BLOCKED, "blocked")});

  const Outcome run = Presencectl("watch alice@example.com --watcher bob@example.com");

  EXPECT_EQ(run.exit_code, 5);
  EXPECT_THAT(run.err,
              HasSubstr("try: presencectl watcher approve alice@example.com bob@example.com"));
}

TEST_F(WatchCommandTest, APendingWatcherIsToldSoAndWhenHeIsAllowed) {
  fake_.ScriptWatch({{StatusItem("t1", v1::SUBSCRIPTION_STATE_PENDING), SnapshotDoneItem("t1"),
                      StatusItem("t2", v1::SUBSCRIPTION_STATE_ACTIVE),
                      StateItem("t3", "open", 1, v1::NOTIFY_CAUSE_RULES)},
                     std::nullopt});

  const Outcome run = Presencectl("watch alice@example.com --count 1");

  EXPECT_EQ(run.out,
            "snapshot      alice@example.com  presence  pending: no state until alice@example.com "
            "decides\n"
            "22:13:20.000  alice@example.com  presence  active\n"
            "22:13:20.000  alice@example.com  presence  open \"At my desk\"  1:1  (rules)\n");
}

TEST_F(WatchCommandTest, ItEndsWhenEveryTargetHasBeenRefused) {
  fake_.ScriptWatch(
      {{StateItem("t1", "open", 1), SnapshotDoneItem("t1"),
        StatusItem("t2", v1::SUBSCRIPTION_STATE_TERMINATED, v1::TERMINATION_REASON_REJECTED)},
       grpc::Status::OK});

  const Outcome run = Presencectl("watch alice@example.com");

  EXPECT_EQ(run.exit_code, 5);
  EXPECT_THAT(run.out, HasSubstr("terminated (rejected)\n"));
}

TEST_F(WatchCommandTest, AResetIsToldAndStatesAreASnapshotAgain) {
  v1::WatchResponse reset;
  reset.set_resume_token("n0");
  reset.mutable_reset();
  fake_.ScriptWatch({{StateItem("t1", "open", 1), SnapshotDoneItem("t1")}, kGone});
  fake_.ScriptWatch({{reset, StateItem("n1", "closed", 1)}, std::nullopt});

  const Outcome run = Presencectl("watch alice@example.com --count 2");

  EXPECT_THAT(run.err, HasSubstr("the server has started anew; full states follow"));
  EXPECT_THAT(run.out, HasSubstr("snapshot      alice@example.com  presence  closed"));
}

TEST_F(WatchCommandTest, JsonLinesHaveOneItemEachAndNoHeartbeats) {
  v1::WatchResponse heartbeat;
  heartbeat.set_resume_token("t1");
  heartbeat.mutable_heartbeat();
  fake_.ScriptWatch({{StateItem("t1", "open", 1), SnapshotDoneItem("t1"), heartbeat,
                      StateItem("t2", "closed", 2)},
                     std::nullopt});

  const Outcome run = Presencectl("watch alice@example.com --count 2 -o jsonl");

  EXPECT_EQ(std::count(run.out.begin(), run.out.end(), '\n'), 3);
  EXPECT_THAT(run.out, HasSubstr("\"snapshotDone\":{}"));
  EXPECT_THAT(run.out, HasSubstr("\"text\":\"\\u003c?xml"));
  EXPECT_THAT(run.out, Not(HasSubstr("heartbeat")));
}

}  // namespace
}  // namespace presence::cli
