#include <string>

#include "absl/strings/numbers.h"
#include "tests/unit/presence-core/engine/shared_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Gateways that go from one core to another, and the dialogs they bring along.
using SharedGatewaysTest = SharedTest;

TEST_F(SharedGatewaysTest, ADialogIsRefreshedAtACoreThatHasNotHeardOfIt) {
  const auto begun = Subscribe(*cores[0], Subscription(*cores[0], "bob"));
  ASSERT_TRUE(begun.ok());

  const auto refreshed = Subscribe(*cores[1], InDialog(*cores[1], "bob", begun->id.text(), 2));

  EXPECT_TRUE(refreshed.ok()) << refreshed.status();
}

// It has moved to the gateway that it was refreshed through: CSeqs go on above what was used.
TEST_F(SharedGatewaysTest, ADialogThatMovesToAnotherGatewayIsToldThereAlone) {
  const auto begun = Subscribe(*cores[0], Subscription(*cores[0], "bob"));
  Answer(*cores[0]);
  ASSERT_TRUE(Subscribe(*cores[1], InDialog(*cores[1], "bob", begun->id.text(), 2)).ok());
  AllHear();
  Answer(*cores[1]);
  ASSERT_EQ(cores[1]->gateway.sent.size(), 1u);
  const uint32_t cseq = cores[1]->gateway.sent[0].cseq;
  EXPECT_GT(cseq, cores[0]->gateway.sent.back().cseq);
  Sent(*cores[0]);
  Sent(*cores[1]);

  Publish(*cores[0], Publication("alice", "open"));
  AllHear();

  EXPECT_THAT(Sent(*cores[1]), ElementsAre(absl::StrCat("bob ", cseq + 1, " open")));
  EXPECT_THAT(Sent(*cores[0]), IsEmpty());
}

// N10: a gateway whose core has died goes to another one.
TEST_F(SharedGatewaysTest, AGatewayThatComesFromAnotherCoreBringsItsDialogs) {
  ASSERT_TRUE(Subscribe(*cores[0], Subscription(*cores[0], "bob")).ok());
  Publish(*cores[0], Publication("alice", "open"));
  AllHear();
  const uint32_t last = cores[0]->gateway.sent.back().cseq;
  Disconnect(*cores[0], "gw-a");
  Publish(*cores[0], Publication("alice", "busy"));

  Connect(*cores[1], "gw-a", /*is_new=*/true);
  Hear(*cores[1]);
  executor.RunFor(absl::Seconds(1));

  ASSERT_FALSE(cores[1]->gateway.sent.empty());
  EXPECT_GT(cores[1]->gateway.sent.front().cseq, last);
  EXPECT_EQ(cores[1]->gateway.sent.back().document.body(), "busy+open");
  EXPECT_THAT(Sent(*cores[0]), testing::SizeIs(last));
}

TEST_F(SharedGatewaysTest, AGatewayThatComesBackAndWasNowhereElseGoesOn) {
  ASSERT_TRUE(Subscribe(*cores[0], Subscription(*cores[0], "bob")).ok());
  Answer(*cores[0]);
  Disconnect(*cores[0], "gw-a");
  Connect(*cores[0], "gw-a", /*is_new=*/false);

  Publish(*cores[0], Publication("alice", "open"));

  EXPECT_THAT(Sent(*cores[0]), ElementsAre("bob 1 none", "bob 2 open"));
}

// Both go to and fro, and neither uses a CSeq that the other has used.
TEST_F(SharedGatewaysTest, CseqsRiseHoweverOftenAGatewayMoves) {
  ASSERT_TRUE(Subscribe(*cores[0], Subscription(*cores[0], "bob")).ok());
  uint32_t last = 0;
  for (int i = 0; i < 6; ++i) {
    Core& core = *cores[static_cast<size_t>(i % 2)];
    Core& next = *cores[static_cast<size_t>((i + 1) % 2)];
    Publish(core, Publication("alice", absl::StrCat("x", i)));
    Answer(core);
    executor.RunFor(absl::Seconds(1));
    Answer(core);
    for (const std::string& line : Sent(core)) {
      uint32_t cseq = 0;
      ASSERT_TRUE(absl::SimpleAtoi(line.substr(4, line.find(' ', 4) - 4), &cseq)) << line;
      EXPECT_GT(cseq, last) << line;
      last = cseq;
    }
    Disconnect(core, "gw-a");
    Connect(next, "gw-a", /*is_new=*/true);
  }
  EXPECT_GT(last, 256u);
}

// It was begun at another core, so nobody here has told it anything yet.
TEST_F(SharedGatewaysTest, ADialogBegunElsewhereIsToldWhenItsGatewayComes) {
  ASSERT_TRUE(Subscribe(*cores[0], Subscription(*cores[0], "bob")).ok());
  Hear(*cores[1]);
  Publish(*cores[0], Publication("alice", "open"));
  Hear(*cores[1]);
  Disconnect(*cores[0], "gw-a");

  Connect(*cores[1], "gw-a", /*is_new=*/true);
  executor.RunFor(absl::Seconds(1));

  ASSERT_FALSE(cores[1]->gateway.sent.empty());
  EXPECT_EQ(cores[1]->gateway.sent.back().document.body(), "open");
}

TEST_F(SharedGatewaysTest, WhatHappensWhileAGatewayIsAwayIsToldWhenItComesBack) {
  ASSERT_TRUE(Subscribe(*cores[0], Subscription(*cores[0], "bob")).ok());
  Answer(*cores[0]);
  Sent(*cores[0]);
  Disconnect(*cores[0], "gw-a");
  Publish(*cores[0], Publication("alice", "open"));
  ASSERT_TRUE(Subscribe(*cores[0], Subscription(*cores[0], "carol")).ok());
  executor.RunFor(absl::Seconds(1));
  EXPECT_THAT(Sent(*cores[0]), IsEmpty());

  Connect(*cores[0], "gw-a", /*is_new=*/false);
  executor.RunFor(absl::Seconds(1));

  EXPECT_THAT(Sent(*cores[0]),
              testing::UnorderedElementsAre("bob 2 open", testing::EndsWith("open")));
}

// Each gateway is new at the second core, and neither's tenure is the other's.
TEST_F(SharedGatewaysTest, ADialogThatWasHereWithAnotherGatewayIsAdopted) {
  Core& here = *cores[1];
  const auto begun = Subscribe(*cores[0], Subscription(*cores[0], "bob"));
  Hear(here);
  Disconnect(*cores[0], "gw-a");
  Connect(here, "gw-a", /*is_new=*/true);
  executor.RunFor(absl::Seconds(1));  // bob's NOTIFY stays unanswered
  ASSERT_FALSE(here.gateway.sent.empty());
  ASSERT_TRUE(Subscribe(*cores[2], InDialog(*cores[2], "bob", begun->id.text(), 2)).ok());
  Hear(here);
  Disconnect(*cores[2], "gw-c");
  Sent(here);

  Connect(here, "gw-c", /*is_new=*/true);
  executor.RunFor(absl::Seconds(1));

  EXPECT_EQ(Sent(here).size(), 1u);
}

TEST_F(SharedGatewaysTest, NothingIsLeftToTellAgainOfDialogsThatAreToldElsewhere) {
  for (const char* name : {"bob", "carol"}) {
    ASSERT_TRUE(Subscribe(*cores[0], Subscription(*cores[0], name)).ok());
  }
  ASSERT_TRUE(Subscribe(*cores[2], Subscription(*cores[2], "dave")).ok());
  Hear(*cores[1]);
  Disconnect(*cores[2], "gw-c");

  Connect(*cores[1], "gw-c", /*is_new=*/true);
  executor.RunFor(absl::Seconds(2));

  EXPECT_EQ(cores[1]->engine->counters().resync_resources_now, 0u);
}

// Two raise the limit of a dialog to the same, and the answer of the one who was too late is lost:
// what it then finds is the other's, who may have used it up.
TEST_F(SharedGatewaysTest, ALimitThatSomebodyElseRaisedIsNotTakenForOnesOwn) {
  ASSERT_TRUE(Subscribe(*cores[0], Subscription(*cores[0], "bob")).ok());
  AllHear();
  Disconnect(*cores[0], "gw-a");
  Connect(*cores[1], "gw-a", /*is_new=*/true);
  executor.RunFor(absl::Seconds(1));
  ASSERT_FALSE(cores[1]->gateway.sent.empty());
  const uint32_t used = cores[1]->gateway.sent.back().cseq;
  Disconnect(*cores[1], "gw-a");
  int commits = 0;
  store.fate = [&commits] {
    return commits++ == 0 ? FakeRowStore::Fate::kUnknownWritten : FakeRowStore::Fate::kCommitted;
  };

  Connect(*cores[2], "gw-a", /*is_new=*/true);
  executor.RunFor(absl::Seconds(3));

  ASSERT_FALSE(cores[2]->gateway.sent.empty());
  EXPECT_GT(cores[2]->gateway.sent.front().cseq, used);
}

}  // namespace
}  // namespace presence
