#include "tests/unit/sip-gateway/core_link/link_fixture.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(LinkTest, SendsNothingBeforeTheCoreHasGreeted) {
  Turn();
  Submit("a");
  Turn();
  EXPECT_THAT(streams_.last().frames, SizeIs(1));

  streams_.last().Welcome();
  Turn();
  EXPECT_THAT(Names(streams_.last()), ElementsAre("a"));
}

TEST_F(LinkTest, PutsAllThatIsReadyIntoOneFrame) {
  Connect();
  for (const char* name : {"a", "b", "c"}) Submit(name);
  link_->Report(Result("d1"));

  Turn();

  ASSERT_THAT(streams_.last().frames, SizeIs(2));
  EXPECT_EQ(streams_.last().frames[1].commands_size(), 3);
  EXPECT_EQ(streams_.last().frames[1].results_size(), 1);
}

TEST_F(LinkTest, CoalescesWhileTheWireIsBusy) {
  Connect();
  streams_.last().is_writable = false;
  for (const char* name : {"a", "b"}) {
    Submit(name);
    Turn();
  }
  EXPECT_THAT(streams_.last().frames, SizeIs(1));

  streams_.last().BecomeWritable();

  ASSERT_THAT(streams_.last().frames, SizeIs(2));
  EXPECT_EQ(streams_.last().frames[1].commands_size(), 2);
}

TEST_F(LinkTest, ClosesFramesAtTheSoftLimit) {
  Connect();
  for (int i = 0; i < 5; ++i) Submit("a", 30 * 1024);

  Turn();

  EXPECT_THAT(streams_.last().Commands(), SizeIs(5));
  for (const auto& frame : streams_.last().frames) {
    EXPECT_LE(frame.ByteSizeLong(), 64u * 1024);
  }
}

TEST_F(LinkTest, SendsALargeCommandAloneAndRefusesOneThatFitsNoFrame) {
  Connect();
  Submit("large", 100 * 1024);
  Submit("huge", 300 * 1024);
  Submit("small");

  Turn();

  EXPECT_THAT(Names(streams_.last()), ElementsAre("large", "small"));
  EXPECT_THAT(answers_, ElementsAre("huge:ERROR_REASON_DOCUMENT_TOO_LARGE"));
  for (const auto& frame : streams_.last().frames) {
    EXPECT_LE(frame.ByteSizeLong(), 256u * 1024);
  }
}

TEST_F(LinkTest, AnswersEachCommandOnce) {
  Connect();
  Submit("a");
  Submit("b");
  Turn();
  const auto commands = streams_.last().Commands();

  streams_.last().Deliver(ReplyTo(commands[1]));
  streams_.last().Deliver(ReplyTo(commands[0]));
  streams_.last().Deliver(ReplyTo(commands[0]));
  Pass(absl::Seconds(5));

  EXPECT_THAT(answers_, ElementsAre("b:ok", "a:ok"));
  EXPECT_EQ(link_->stats().late_replies, 1u);
}

TEST_F(LinkTest, UsesNoMoreCreditThanItHas) {
  Connect(/*credit=*/2);
  for (const char* name : {"a", "b", "c"}) Submit(name);
  Turn();
  EXPECT_THAT(Names(streams_.last()), ElementsAre("a", "b"));

  v1::ConnectResponse more;
  more.set_command_credit(1);
  streams_.last().Deliver(more);
  Turn();
  EXPECT_THAT(Names(streams_.last()), ElementsAre("a", "b", "c"));
}

TEST_F(LinkTest, RefusesACommandThatGetsNoCreditFor500Milliseconds) {
  Connect(/*credit=*/0);
  Submit("a");

  Pass(absl::Milliseconds(490));
  EXPECT_THAT(answers_, IsEmpty());
  Pass(absl::Milliseconds(20));
  EXPECT_THAT(answers_, ElementsAre("a:ERROR_REASON_OVERLOADED"));

  // It is not sent once there is credit.
  v1::ConnectResponse more;
  more.set_command_credit(1);
  streams_.last().Deliver(more);
  Turn();
  EXPECT_THAT(Names(streams_.last()), IsEmpty());
}

TEST_F(LinkTest, RefusesWhatFindsNoRoomOnTheWire) {
  Connect();
  streams_.last().is_writable = false;
  Submit("a");

  Pass(absl::Milliseconds(510));

  EXPECT_THAT(answers_, ElementsAre("a:ERROR_REASON_OVERLOADED"));
}

TEST_F(LinkTest, RefusesACommandThatIsNotAnsweredInTwoSeconds) {
  Connect();
  Submit("a");

  Pass(absl::Milliseconds(1990));
  EXPECT_THAT(answers_, IsEmpty());
  Pass(absl::Milliseconds(20));
  EXPECT_THAT(answers_, ElementsAre("a:ERROR_REASON_CORE_UNREACHABLE"));
}

// SIGSTOP keeps a connection and answers nothing.
TEST_F(LinkTest, LeavesACoreThatHasSaidNothingSinceACommandForTheNextOne) {
  Build({"a", "b"});
  Connect();
  Pass(absl::Seconds(5));  // silence is no fault while nothing is asked
  ASSERT_THAT(streams_.ends, SizeIs(1));
  Submit("alice");

  Pass(absl::Milliseconds(1010));

  ASSERT_THAT(streams_.ends, SizeIs(2));
  EXPECT_EQ(streams_.last().address, "b");
  streams_.last().Welcome();
  Turn();
  ASSERT_THAT(Names(streams_.last()), ElementsAre("alice"));
  streams_.last().Deliver(ReplyTo(streams_.last().Commands()[0]));
  EXPECT_THAT(answers_, ElementsAre("alice:ok"));
}

TEST_F(LinkTest, StaysWithACoreThatIsSlowButNotMute) {
  Build({"a", "b"});
  Connect();
  Submit("alice");
  Pass(absl::Milliseconds(900));
  streams_.last().Deliver(v1::ConnectResponse());

  Pass(absl::Milliseconds(1000));

  EXPECT_THAT(streams_.ends, SizeIs(1));
}

TEST_F(LinkTest, StaysWithAMuteCoreThatIsTheOnlyOne) {
  Connect();
  Submit("alice");

  Pass(absl::Milliseconds(2500));

  EXPECT_THAT(streams_.ends, SizeIs(1));
  EXPECT_THAT(answers_, ElementsAre("alice:ERROR_REASON_CORE_UNREACHABLE"));
}

TEST_F(LinkTest, SendsUnansweredCommandsAgainFirstAndUnderTheSameId) {
  Connect();
  for (const char* name : {"a", "b", "c"}) Submit(name);
  Turn();
  const auto before = streams_.last().Commands();
  streams_.last().Deliver(ReplyTo(before[1]));

  streams_.last().Close();
  Submit("d");
  Reconnect();
  streams_.last().Welcome();
  Turn();

  EXPECT_THAT(Names(streams_.last()), ElementsAre("a", "c", "d"));
  EXPECT_EQ(streams_.last().Commands()[0].command_id(), before[0].command_id());
  EXPECT_EQ(streams_.last().Commands()[1].command_id(), before[2].command_id());
  EXPECT_EQ(link_->stats().commands_resent, 2u);
  EXPECT_EQ(streams_.last().frames[0].hello().stream_number(), 2u);
  EXPECT_EQ(streams_.last().frames[0].hello().incarnation(),
            streams_.ends[0]->frames[0].hello().incarnation());
}

TEST_F(LinkTest, GivesAResentCommandTwoSecondsMoreButOnlyOnce) {
  Connect();
  Submit("a");
  Pass(absl::Milliseconds(1900));
  streams_.last().Close();
  Reconnect();
  streams_.last().Welcome();
  Pass(absl::Milliseconds(1000));
  EXPECT_THAT(answers_, IsEmpty());

  streams_.last().Close();
  Pass(absl::Milliseconds(1200));

  EXPECT_THAT(answers_, ElementsAre("a:ERROR_REASON_CORE_UNREACHABLE"));
}

TEST_F(LinkTest, RefusesAtOnceWhenThereHasBeenNoCoreForLong) {
  Pass(absl::Seconds(3));

  Submit("a");

  EXPECT_THAT(answers_, ElementsAre("a:ERROR_REASON_CORE_UNREACHABLE"));
  EXPECT_EQ(link_->stats().refused_no_core, 1u);
}

TEST_F(LinkTest, HoldsACommandForACoreThatMayBeBackInAMoment) {
  Connect();
  streams_.last().Close();
  Submit("a");
  Reconnect();
  streams_.last().Welcome();

  Turn();

  EXPECT_THAT(Names(streams_.last()), ElementsAre("a"));
  EXPECT_THAT(answers_, IsEmpty());
}

// However the core behaves, no command is left without an answer, and none gets two.
TEST_F(LinkTest, AnswersEveryCommandOfAWildCoreExactlyOnce) {
  SeededRandom chance(99);
  int submitted = 0;
  for (int step = 0; step < 2000; ++step) {
    if (chance.Chance(30)) Submit(std::to_string(submitted++));
    FakeStreams::End* end = streams_.ends.empty() ? nullptr : &streams_.last();
    if (end != nullptr && end->events != nullptr) {
      if (chance.Chance(2)) {
        end->Close();
      } else if (!link_->is_connected()) {
        if (chance.Chance(50)) end->Welcome(static_cast<uint32_t>(chance.Below(50)));
      } else {
        // Of a frame that came lately or long ago: replies overtake, repeat and come too late.
        const auto& frame = end->frames[chance.Below(end->frames.size())];
        if (frame.commands_size() > 0) {
          v1::ConnectResponse reply = ReplyTo(frame.commands(0));
          reply.set_command_credit(static_cast<uint32_t>(chance.Below(3)));
          end->Deliver(reply);
        }
      }
    }
    clock_.Advance(absl::Milliseconds(static_cast<int64_t>(chance.Below(40))));
    Turn();
  }
  Pass(absl::Seconds(10));

  EXPECT_THAT(answers_, SizeIs(static_cast<size_t>(submitted)));
  EXPECT_EQ(link_->stats().pending_commands, 0u);
  std::vector<std::string> names;
  for (const std::string& answer : answers_) names.push_back(answer.substr(0, answer.find(':')));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace presence::sip
