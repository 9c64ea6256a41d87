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
  Turn();

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

TEST_F(LinkTest, GivesCreditBackInParts) {
  Connect();
  streams_.last().Deliver(Burst("d", 1, 255));
  Pass(absl::Milliseconds(50));
  link_->Report(Result("d0"));
  Turn();
  EXPECT_EQ(CreditGiven(), 0u);  // the core has nearly all of it left

  streams_.last().Deliver(Burst("e", 1, 1));
  Turn();

  EXPECT_EQ(CreditGiven(), 256u);
}

// A window of one must not stand still.
TEST_F(LinkTest, GivesBackTheOnlyCreditThereIs) {
  LinkConfig config;
  config.gateway = "edge-1";
  config.addresses = {"core-a:7460"};
  config.instruction_window = 1;
  link_ = std::make_unique<Link>(config, clock_, random_, streams_, *this);
  Connect();

  streams_.last().Deliver(Burst("d", 1, 1));
  Turn();

  EXPECT_EQ(CreditGiven(), 1u);
}

TEST_F(LinkTest, GivesCreditBackByItselfBeforeTheCoreRunsOut) {
  Connect();
  v1::ConnectResponse frame;
  for (int i = 0; i < 1024; ++i) *frame.add_instructions() = Instruction("d");

  streams_.last().Deliver(frame);
  Pass(absl::Milliseconds(200));

  EXPECT_EQ(CreditGiven(), 1024u);
}

TEST_F(LinkTest, GivesCreditBackForWhatItHandedOnAndNotForWhatWaits) {
  Connect();
  streams_.last().Deliver(Burst("hot", 1, 1024));

  for (int turn = 0; turn < 4; ++turn) Turn();

  EXPECT_THAT(instructions_, SizeIs(256));
  EXPECT_EQ(CreditGiven(), 256u);
  EXPECT_EQ(link_->stats().waiting_instructions, 768u);
}

TEST_F(LinkTest, HandsOnABoundedNumberOfInstructionsATurnAndAsksForTheNextTurnAtOnce) {
  Connect();
  streams_.last().Deliver(Burst("hot", 1, 100));

  const absl::Time due = link_->Advance(clock_.Now());
  EXPECT_THAT(instructions_, SizeIs(64));
  EXPECT_EQ(due, clock_.Now());
  EXPECT_FALSE(link_->is_idle());

  EXPECT_GT(link_->Advance(clock_.Now()), clock_.Now());
  EXPECT_THAT(instructions_, SizeIs(100));
  EXPECT_TRUE(link_->is_idle());
}

TEST_F(LinkTest, AnAnswerPassesAllInstructionsThatWait) {
  Connect();
  Submit("alice");
  Turn();
  streams_.last().Deliver(Burst("hot", 1, 1000));

  streams_.last().Deliver(ReplyTo(streams_.last().Commands()[0]));

  EXPECT_THAT(answers_, ElementsAre("alice:ok"));
  EXPECT_THAT(instructions_, IsEmpty());
}

TEST_F(LinkTest, AnInstructionOfAQuietResourcePassesThoseOfAHotOne) {
  Connect();
  streams_.last().Deliver(Burst("hot", 1, 1000));
  v1::ConnectResponse frame = Burst("quiet", 2, 1);
  frame.add_bodies("of the quiet one");
  frame.mutable_instructions(0)->set_body(1);
  streams_.last().Deliver(frame);

  Turn();

  EXPECT_THAT(instructions_, testing::Contains("quiet0=of the quiet one"));
}

TEST_F(LinkTest, InstructionsOfOneDialogStayInOrder) {
  Connect();
  for (uint32_t cseq = 1; cseq <= 300; ++cseq) {
    v1::ConnectResponse frame = Burst("hot", 1, 3);
    *frame.add_instructions() = Instruction("d");
    frame.mutable_instructions(3)->set_resource(2);
    frame.mutable_instructions(3)->set_cseq(cseq);
    streams_.last().Deliver(frame);
    if (cseq % 7 == 0) Turn();
  }
  Pass(absl::Seconds(1));

  EXPECT_THAT(instructions_, SizeIs(1200));
  ASSERT_THAT(cseqs_["d"], SizeIs(300));
  for (uint32_t i = 0; i < 300; ++i) EXPECT_EQ(cseqs_["d"][i], i + 1);
}

// The core finds them missing in the greeting, and instructs them anew.
TEST_F(LinkTest, DropsWhatWaitsWhenTheStreamBreaks) {
  Connect();
  streams_.last().Deliver(Burst("hot", 1, 1000));
  Turn();

  streams_.last().Close();
  Reconnect();
  streams_.last().Welcome();
  Pass(absl::Seconds(1));

  EXPECT_THAT(instructions_, SizeIs(64));
  EXPECT_EQ(link_->stats().waiting_instructions, 0u);
  EXPECT_EQ(CreditGiven(), 0u);  // this stream began with a full window
}

TEST_F(LinkTest, LeavesACoreThatDoesNotKeepToItsCredit) {
  Connect();
  streams_.last().Deliver(Burst("hot", 1, 2048));
  EXPECT_TRUE(link_->is_connected());

  streams_.last().Deliver(Burst("hot", 1, 1));

  EXPECT_FALSE(link_->is_connected());
  EXPECT_EQ(link_->stats().waiting_instructions, 0u);
}

TEST_F(LinkTest, KeepsCreditBackWhileTooManyNotifiesAreInFlight) {
  Connect();
  in_flight_count_ = 65'536;
  v1::ConnectResponse frame;
  for (int i = 0; i < 2000; ++i) *frame.add_instructions() = Instruction("d");
  streams_.last().Deliver(frame);
  Pass(absl::Milliseconds(400));
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
