#include "sip-gateway/sofia/printer.h"
#include "tests/unit/sip-gateway/server/gateway_fixture.h"

namespace presence::sip {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// P20, R11: 503 with Retry-After, never a hang.
TEST_F(GatewayTest, Answers503WhenThereIsNoCore) {
  Pass(absl::Seconds(3));

  Receive(Publish().Text());

  const auto answer = Sent();
  EXPECT_EQ(answer->status(), 503);
  EXPECT_GT(answer->retry_after(), 0u);
}

TEST_F(GatewayTest, Answers503WithinTwoSecondsWhenTheCoreFallsSilent) {
  Connect();
  Receive(Publish().Text());

  Pass(absl::Milliseconds(2100));

  const auto answer = Sent();
  EXPECT_EQ(answer->status(), 503);
  EXPECT_GT(answer->retry_after(), 0u);
}

TEST_F(GatewayTest, CarriesAPublishThroughTheLossOfTheStream) {
  Connect();
  Receive(Publish().Text());
  core().Close();
  Pass(absl::Milliseconds(200));
  core().Welcome();
  Turn();
  ASSERT_THAT(core().Commands(), SizeIs(1));

  core().Deliver(Published());

  EXPECT_EQ(SentStatus(), 200);
}

// N01
TEST_F(GatewayTest, SendsAnInstructedNotifyAndReportsItsAnswer) {
  Connect();

  core().Deliver(Instructed());
  Turn();
  const auto sent = transport_.TakeSent();
  ASSERT_THAT(sent, SizeIs(1));
  const auto notify = Parse(sent[0].bytes);
  EXPECT_EQ(notify->method(), "NOTIFY");
  EXPECT_EQ(notify->header("Subscription-State"), "active;expires=600");
  EXPECT_EQ(notify->body(), "<p/>");

  Receive(PrintResponse(*notify, ResponseSpec()));
  ASSERT_THAT(core().Results(), SizeIs(1));
  EXPECT_EQ(core().Results()[0].code(), 200u);
  EXPECT_EQ(core().Results()[0].id().local_tag(), "ours");
}

TEST_F(GatewayTest, GreetsANewStreamWithTheNotifiesInFlight) {
  Connect();
  core().Deliver(Instructed());
  Turn();
  core().Close();
  Pass(absl::Milliseconds(200));

  const v1::Hello& hello = core().frames.at(0).hello();
  ASSERT_EQ(hello.in_flight_size(), 1);
  EXPECT_EQ(hello.in_flight(0).local_tag(), "ours");
  EXPECT_EQ(hello.in_flight(0).cseq(), 1u);
}

TEST_F(GatewayTest, StopsAllNotifiesAfterThreeSecondsWithoutACore) {
  Connect();
  core().Deliver(Instructed());
  Turn();
  core().Close();
  Pass(absl::Seconds(1));
  EXPECT_THAT(transport_.TakeSent(), Not(IsEmpty()));  // it still retransmits

  for (int i = 0; i < 60; ++i) {
    if (core().events != nullptr) core().Close();
    Pass(absl::Milliseconds(50));
  }
  transport_.TakeSent();
  Pass(absl::Seconds(35));

  EXPECT_THAT(transport_.TakeSent(), IsEmpty());
  EXPECT_EQ(gateway_->stats().notifier.given_up, 1u);
}

TEST_F(GatewayTest, FinishesWhatIsUnderWayWhileDraining) {
  Connect();
  Receive(Publish("1").Text());
  core().Deliver(Instructed());
  Turn();
  const auto notify = Sent();
  gateway_->StartDraining();

  Receive(Publish("2").Text());
  const auto refusal = Sent();
  EXPECT_EQ(refusal->status(), 503);
  EXPECT_GT(refusal->retry_after(), 0u);
  EXPECT_FALSE(gateway_->is_drained());

  core().Deliver(Published());
  EXPECT_EQ(SentStatus(), 200);
  EXPECT_FALSE(gateway_->is_drained());
  Receive(PrintResponse(*notify, ResponseSpec()));
  EXPECT_TRUE(gateway_->is_drained());
}

}  // namespace
}  // namespace presence::sip
