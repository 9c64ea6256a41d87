#include "tests/unit/sip-gateway/core_link/link_fixture.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

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
  EXPECT_EQ(hello.instruction_credit(), 1024u);
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
  Turn();

  EXPECT_THAT(instructions_, ElementsAre("d1="));
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

}  // namespace
}  // namespace presence::sip
