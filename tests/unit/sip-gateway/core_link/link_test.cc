#include "sip-gateway/core_link/link.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/sip-gateway/core_link/fake_stream.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LinkTest : public testing::Test, public LinkUser {
 protected:
  LinkTest() { Build({"core-a:7460"}); }

  void Build(std::vector<std::string> addresses) {
    LinkConfig config;
    config.gateway = "edge-1";
    config.addresses = std::move(addresses);
    link_ = std::make_unique<Link>(config, clock_, random_, streams_, *this);
  }

  // Time passes in steps, each a turn of the event loop.
  void Pass(absl::Duration time) {
    const absl::Time end = clock_.Now() + time;
    Turn();
    while (clock_.Now() < end) {
      clock_.AdvanceTo(std::min(end, clock_.Now() + absl::Milliseconds(10)));
      Turn();
    }
  }
  void Turn() {
    link_->Advance(clock_.Now());
    link_->Flush();
  }
  // Until a new stream is open.
  void Reconnect() {
    const size_t before = streams_.ends.size();
    for (int i = 0; i < 1000 && streams_.ends.size() == before; ++i) {
      Pass(absl::Milliseconds(10));
    }
    ASSERT_GT(streams_.ends.size(), before);
  }
  void Connect(uint32_t credit = 4096) {
    Turn();
    streams_.last().Welcome(credit);
  }

  // A PUBLISH of this presentity; what becomes of it lands in `answers_`.
  void Submit(const std::string& name, size_t body_bytes = 0) {
    v1::GatewayCommand command;
    command.mutable_publish()->set_presentity(name);
    command.mutable_publish()->mutable_document()->set_body(std::string(body_bytes, 'x'));
    link_->Submit(std::move(command), [this, name](const v1::CommandReply& reply) {
      answers_.push_back(name + (reply.has_error()
                                     ? ":" + v1::ErrorReason_Name(static_cast<v1::ErrorReason>(
                                                 reply.error().reason()))
                                     : ":ok"));
      if (reply.has_error()) {
        EXPECT_GT(reply.error().retry_after().seconds(), 0);
      }
    });
  }
  static std::vector<std::string> Names(const FakeStreams::End& end) {
    std::vector<std::string> names;
    for (const auto& command : end.Commands()) names.push_back(command.publish().presentity());
    return names;
  }
  static v1::ConnectResponse ReplyTo(const v1::GatewayCommand& command) {
    v1::ConnectResponse frame;
    frame.add_replies()->set_command_id(command.command_id());
    frame.mutable_replies(0)->mutable_publish()->set_etag("e");
    return frame;
  }
  static v1::NotifyResult Result(const std::string& tag) {
    v1::NotifyResult result;
    result.mutable_id()->set_local_tag(tag);
    result.set_outcome(v1::NotifyResult::OUTCOME_ANSWERED);
    result.set_code(200);
    return result;
  }
  static std::vector<std::string> Tags(const std::vector<v1::NotifyResult>& results) {
    std::vector<std::string> tags;
    for (const auto& result : results) tags.push_back(result.id().local_tag());
    return tags;
  }
  static v1::NotifyInstruction Instruction(const std::string& tag, uint64_t epoch = 1) {
    v1::NotifyInstruction instruction;
    instruction.mutable_dialog()->set_local_tag(tag);
    instruction.set_cseq(1);
    instruction.set_epoch(epoch);
    return instruction;
  }
  uint32_t CreditGiven() {
    uint32_t credit = 0;
    for (const auto& frame : streams_.last().frames) credit += frame.instruction_credit();
    return credit;
  }

  // LinkUser
  std::vector<v1::InstructionId> NotifiesInFlight() const override { return in_flight_; }
  size_t NotifiesInFlightCount() const override { return in_flight_count_; }
  void OnConnected(const std::string& address, const v1::Welcome&) override {
    events_.push_back("connected " + address);
  }
  void OnDisconnected(const std::string& address, const absl::Status&) override {
    events_.push_back("disconnected " + address);
  }
  void OnCoreLost() override { events_.push_back("lost"); }
  void OnInstruction(v1::NotifyInstruction instruction, std::string_view body) override {
    instructions_.push_back(instruction.dialog().local_tag() + "=" + std::string(body));
  }

  ManualClock clock_;
  SeededRandom random_{7};
  FakeStreams streams_;
  std::vector<v1::InstructionId> in_flight_;
  size_t in_flight_count_ = 0;
  std::vector<std::string> answers_;
  std::vector<std::string> events_;
  std::vector<std::string> instructions_;
  std::unique_ptr<Link> link_;
};

TEST_F(LinkTest, GreetsFirstWithWhatItStillHolds) {
  v1::InstructionId id;
  id.set_local_tag("d1");
  in_flight_ = {id};

  Turn();

  ASSERT_THAT(streams_.last().frames, SizeIs(1));
  const v1::Hello& hello = streams_.last().frames[0].hello();
  EXPECT_EQ(hello.gateway(), "edge-1");
  EXPECT_EQ(hello.group(), "edge-1");
  EXPECT_EQ(hello.stream_number(), 1u);
  EXPECT_NE(hello.incarnation(), 0u);
  EXPECT_EQ(hello.instruction_credit(), 4096u);
  ASSERT_EQ(hello.in_flight_size(), 1);
  EXPECT_EQ(hello.in_flight(0).local_tag(), "d1");
}

// What the core finds neither in flight nor answered it would send again.
TEST_F(LinkTest, GreetsWithTheResultsThatWait) {
  link_->Report(Result("d1"));

  Turn();

  ASSERT_THAT(streams_.last().frames, SizeIs(1));
  EXPECT_THAT(Tags(streams_.last().Results()), ElementsAre("d1"));
}

TEST_F(LinkTest, KeepsTheGreetingWithinAFrameAndNamesResultsThatDoNotFit) {
  v1::InstructionId id;
  id.set_local_tag(std::string(40, 't'));
  in_flight_.assign(20'000, id);
  for (int i = 0; i < 5000; ++i) link_->Report(Result(std::string(40, 'r')));

  Turn();

  const v1::ConnectRequest& greeting = streams_.last().frames.at(0);
  EXPECT_LE(greeting.ByteSizeLong(), 256u * 1024);
  EXPECT_GT(greeting.results_size(), 0);
  EXPECT_GT(greeting.hello().in_flight_size(), 5000 - greeting.results_size());
  EXPECT_EQ(greeting.hello().in_flight(0).local_tag(), std::string(40, 'r'));
}

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

// A core that was stopped keeps its connection and answers nothing.
TEST_F(LinkTest, RefusesACommandThatIsNotAnsweredInTwoSeconds) {
  Connect();
  Submit("a");

  Pass(absl::Milliseconds(1990));
  EXPECT_THAT(answers_, IsEmpty());
  Pass(absl::Milliseconds(20));
  EXPECT_THAT(answers_, ElementsAre("a:ERROR_REASON_CORE_UNREACHABLE"));
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

TEST_F(LinkTest, SaysOnceThatTheCoreIsLostAfterThreeSeconds) {
  Connect();
  streams_.last().Close();
  events_.clear();

  const absl::Time lost_at = clock_.Now() + absl::Seconds(3);
  while (clock_.Now() < lost_at) {
    EXPECT_THAT(events_, testing::Not(testing::Contains("lost")));
    clock_.Advance(absl::Milliseconds(50));
    if (!streams_.ends.empty() && streams_.last().events != nullptr) streams_.last().Close();
    Turn();
  }
  Pass(absl::Seconds(5));

  EXPECT_EQ(std::count(events_.begin(), events_.end(), "lost"), 1);
}

TEST_F(LinkTest, TriesSeveralCoresInTurnAndPausesAfterEachRound) {
  Build({"a", "b"});
  Turn();
  for (int i = 0; i < 5; ++i) {
    streams_.last().Close();
    Reconnect();
  }

  std::vector<std::string> tried;
  for (const auto& end : streams_.ends) tried.push_back(end->address);
  EXPECT_THAT(tried, ElementsAre("a", "b", "a", "b", "a", "b"));
}

TEST_F(LinkTest, BacksOffToAboutASecond) {
  Turn();
  absl::Duration longest;
  for (int i = 0; i < 20; ++i) {
    const absl::Time closed = clock_.Now();
    streams_.last().Close();
    Reconnect();
    longest = std::max(longest, clock_.Now() - closed);
  }

  EXPECT_GE(longest, absl::Milliseconds(500));
  EXPECT_LE(longest, absl::Milliseconds(1020));
}

TEST_F(LinkTest, LeavesACoreThatDoesNotGreet) {
  Turn();
  EXPECT_THAT(streams_.ends, SizeIs(1));

  Pass(absl::Milliseconds(2500));

  EXPECT_EQ(streams_.ends[0]->events, nullptr);
  EXPECT_GE(streams_.ends.size(), 2u);
}

TEST_F(LinkTest, LeavesACoreWhoseFirstFrameIsNoGreeting) {
  Turn();

  streams_.last().Deliver(v1::ConnectResponse());

  EXPECT_THAT(events_, ElementsAre("disconnected core-a:7460"));
}

TEST_F(LinkTest, MovesOnFromADrainingCoreOnceItHasAnswered) {
  Build({"a", "b"});
  Connect();
  Submit("first");
  Turn();
  v1::ConnectResponse draining;
  draining.set_draining(true);
  streams_.last().Deliver(draining);
  Submit("second");
  Turn();
  EXPECT_THAT(Names(streams_.last()), ElementsAre("first"));

  streams_.last().Deliver(ReplyTo(streams_.last().Commands()[0]));
  Turn();
  Turn();

  EXPECT_EQ(streams_.last().address, "b");
  streams_.last().Welcome();
  Turn();
  EXPECT_THAT(Names(streams_.last()), ElementsAre("second"));
  EXPECT_THAT(answers_, ElementsAre("first:ok"));
}

TEST_F(LinkTest, HandsOnInstructionsWithTheirBodies) {
  Connect();
  v1::ConnectResponse frame;
  frame.add_bodies("one");
  frame.add_bodies("two");
  for (const auto& [tag, body] : {std::pair("d1", 2u), {"d2", 1u}, {"d3", 2u}, {"d4", 0u}}) {
    *frame.add_instructions() = Instruction(tag);
    frame.mutable_instructions(frame.instructions_size() - 1)->set_body(body);
  }

  streams_.last().Deliver(frame);

  EXPECT_THAT(instructions_, ElementsAre("d1=two", "d2=one", "d3=two", "d4="));
}

TEST_F(LinkTest, ReportsAnInstructionWhoseBodyIsMissing) {
  Connect();
  v1::ConnectResponse frame;
  *frame.add_instructions() = Instruction("d1");
  frame.mutable_instructions(0)->set_body(1);

  streams_.last().Deliver(frame);
  Turn();

  EXPECT_THAT(instructions_, IsEmpty());
  ASSERT_THAT(streams_.last().Results(), SizeIs(1));
  EXPECT_EQ(streams_.last().Results()[0].outcome(), v1::NotifyResult::OUTCOME_UNSENDABLE);
}

TEST_F(LinkTest, DropsInstructionsOfLowerEpochsAndReportsThem) {
  Turn();
  streams_.last().Welcome(10, /*epoch=*/5);
  v1::ConnectResponse frame;
  *frame.add_instructions() = Instruction("old", 4);
  *frame.add_instructions() = Instruction("new", 6);
  *frame.add_instructions() = Instruction("overtaken", 5);

  streams_.last().Deliver(frame);
  Turn();

  EXPECT_THAT(instructions_, ElementsAre("new="));
  EXPECT_THAT(Tags(streams_.last().Results()), ElementsAre("old", "overtaken"));
  EXPECT_EQ(streams_.last().Results()[0].outcome(), v1::NotifyResult::OUTCOME_STALE_EPOCH);
}

TEST_F(LinkTest, LeavesACoreThatIsBehindAnotherOne) {
  Build({"a", "b"});
  Turn();
  streams_.last().Welcome(10, /*epoch=*/5, "core-1");
  streams_.last().Close();
  Reconnect();

  streams_.last().Welcome(10, /*epoch=*/4, "core-2");

  EXPECT_FALSE(link_->is_connected());
}

// Its machine's clock was set back: it is the owner all the same.
TEST_F(LinkTest, StaysWithACoreThatComesBackWithALowerEpoch) {
  Turn();
  streams_.last().Welcome(10, /*epoch=*/5);
  streams_.last().Close();
  Reconnect();

  streams_.last().Welcome(10, /*epoch=*/4);
  v1::ConnectResponse frame;
  *frame.add_instructions() = Instruction("d1", 4);
  streams_.last().Deliver(frame);

  EXPECT_THAT(instructions_, ElementsAre("d1="));
}

TEST_F(LinkTest, GivesCreditBackWithTheNextFrame) {
  Connect();
  v1::ConnectResponse frame;
  for (int i = 0; i < 3; ++i) *frame.add_instructions() = Instruction("d");
  streams_.last().Deliver(frame);
  Turn();
  EXPECT_EQ(CreditGiven(), 0u);  // not worth a frame of its own

  link_->Report(Result("d"));
  Turn();

  EXPECT_EQ(CreditGiven(), 3u);
}

TEST_F(LinkTest, GivesCreditBackByItselfBeforeTheCoreRunsOut) {
  Connect();
  v1::ConnectResponse frame;
  for (int i = 0; i < 1024; ++i) *frame.add_instructions() = Instruction("d");

  streams_.last().Deliver(frame);
  Turn();

  EXPECT_EQ(CreditGiven(), 1024u);
}

TEST_F(LinkTest, KeepsCreditBackWhileTooManyNotifiesAreInFlight) {
  Connect();
  in_flight_count_ = 65'536;
  v1::ConnectResponse frame;
  for (int i = 0; i < 2000; ++i) *frame.add_instructions() = Instruction("d");
  streams_.last().Deliver(frame);
  Turn();
  EXPECT_EQ(CreditGiven(), 0u);

  in_flight_count_ = 65'535;
  Turn();
  EXPECT_EQ(CreditGiven(), 2000u);
}

TEST_F(LinkTest, KeepsResultsUntilThereIsACore) {
  link_->Report(Result("d1"));
  Turn();
  streams_.last().Welcome();

  Turn();

  EXPECT_THAT(Tags(streams_.last().Results()), ElementsAre("d1"));
}

TEST_F(LinkTest, TellsResultsAgainThatABrokenStreamMayHaveLost) {
  Connect();
  link_->Report(Result("early"));
  Turn();
  Pass(absl::Seconds(4));
  link_->Report(Result("late"));
  Turn();
  streams_.last().Close();
  link_->Report(Result("later"));
  Reconnect();
  streams_.last().Welcome();

  Turn();

  EXPECT_THAT(Tags(streams_.last().Results()), ElementsAre("late", "later"));
}

TEST_F(LinkTest, TellsOfClosedFlows) {
  Connect();
  link_->ReportClosedFlow("f1");

  Turn();

  ASSERT_THAT(streams_.last().frames, SizeIs(2));
  EXPECT_THAT(streams_.last().frames[1].closed_flows(), ElementsAre("f1"));
}

TEST_F(LinkTest, IsIdleOnceEverythingIsAnsweredAndTold) {
  Connect();
  EXPECT_TRUE(link_->is_idle());

  Submit("a");
  link_->Report(Result("d"));
  Turn();
  EXPECT_FALSE(link_->is_idle());

  streams_.last().Deliver(ReplyTo(streams_.last().Commands()[0]));
  EXPECT_TRUE(link_->is_idle());
}

TEST_F(LinkTest, AsksToBeCalledWhenSomethingIsDue) {
  Connect(/*credit=*/0);
  Submit("a");

  EXPECT_EQ(link_->Advance(clock_.Now()), clock_.Now() + absl::Milliseconds(500));
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

TEST(ResultLogTest, DropsTheOldestBeyondItsBound) {
  ResultLog log(2);
  for (const uint32_t cseq : {1u, 2u, 3u}) {
    v1::NotifyResult result;
    result.mutable_id()->set_cseq(cseq);
    log.Add(result);
  }

  EXPECT_EQ(log.front().id().cseq(), 2u);
  EXPECT_EQ(log.dropped(), 1u);
}

}  // namespace
}  // namespace presence::sip
