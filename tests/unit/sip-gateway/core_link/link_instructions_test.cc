#include "tests/unit/sip-gateway/core_link/link_fixture.h"

namespace presence::sip {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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
