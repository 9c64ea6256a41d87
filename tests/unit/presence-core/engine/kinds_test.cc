#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Fate = ScriptedJournal::Fate;

constexpr StateKinds kNoPublications{.publications = false};
constexpr StateKinds kNoSubscriptions{.subscriptions = false};

// A journal that keeps one of the two: the other lives and dies with the process.
class KindsTest : public EngineTest {
 protected:
  std::string State(const std::string& user) {
    auto view = engine->GetState({Key(user), Event("presence"), std::nullopt, {}, ""});
    return std::string(view->document->body());
  }
};

TEST_F(KindsTest, WhatIsNotKeptIsNotAppendedAndNeverWaits) {
  journal.kinds = kNoPublications;
  journal.fate = [] { return Fate::kRejected; };
  PublishCommand open = Publication("alice", "open");
  open.idempotency.request_id = RequestKey::Of({"request"});

  EXPECT_TRUE(Publish(open).ok());
  EXPECT_FALSE(Subscribe("alice", "bob").ok());

  EXPECT_EQ(State("alice"), "open");
  EXPECT_EQ(journal.appends(), 1u);
}

// N10 of a pair: the dialog goes on, its CSeq rises, and the state it is told is the newer one.
TEST_F(KindsTest, SubscriptionsOutliveACrashThatPublicationsDoNot) {
  journal.kinds = kNoPublications;
  Subscribe("alice", "bob");
  Answer();
  PublishCommand open = Publication("alice", "open");
  open.idempotency.request_id = RequestKey::Of({"request"});
  const Etag gone = Publish(open)->etag;
  Answer();
  const Revision before = engine->GetState({Key("alice"), Event("presence"), {}, {}, ""})->revision;

  StartEngine();
  executor.RunFor(absl::Seconds(1));

  EXPECT_THAT(Sent(), ElementsAre("bob 257 active none"));
  EXPECT_GT(engine->GetState({Key("alice"), Event("presence"), {}, {}, ""})->revision, before);
  // The same request is a new one: its answer would name an entity-tag that is gone.
  EXPECT_NE(Publish(open)->etag, gone);
  EXPECT_EQ(State("alice"), "open");
}

// P21 of a pair.
TEST_F(KindsTest, PublicationsOutliveACrashThatSubscriptionsDoNot) {
  journal.kinds = kNoSubscriptions;
  SubscribeCommand bob = Subscription("alice", "bob");
  bob.local_tag = Subscribe(bob)->id.text();
  Answer();
  const Etag etag = Publish("alice", "open")->etag;
  Answer();

  StartEngine();
  executor.RunFor(absl::Seconds(1));

  EXPECT_THAT(Sent(), IsEmpty());
  EXPECT_EQ(State("alice"), "open");
  bob.cseq = 2;
  EXPECT_EQ(ReasonOf(Subscribe(bob).status()), ErrorReason::kSubscriptionUnknown);
  PublishCommand refresh = Publication("alice", "busy");
  refresh.etag = etag;
  EXPECT_TRUE(Publish(refresh).ok());
}

TEST_F(KindsTest, WhatAPresentityDecidedOutlivesACrashInEveryPair) {
  for (const StateKinds kinds : {kNoPublications, kNoSubscriptions}) {
    journal.kinds = kinds;
    Decide("alice", "mallory", WatcherDecision::kBlock);

    StartEngine();

    EXPECT_FALSE(Subscribe("alice", "mallory").ok());
  }
}

// What the journal does not keep is not in what it gives back, and must not be taken for deleted.
TEST_F(KindsTest, ALoadAfterADoubtfulAppendLeavesAloneWhatIsNotKept) {
  journal.kinds = kNoPublications;
  Publish("alice", "open");
  for (const Fate fate : {Fate::kUnknownWritten, Fate::kUnknownDropped}) {
    journal.fate = [fate] { return fate; };
    EXPECT_FALSE(Subscribe("alice", "bob").ok());
    EXPECT_EQ(State("alice"), "open");
  }
}

// An ordinal names a row for ever, so one that is stored must not come again.
TEST_F(KindsTest, NoStoredRowIsGivenTheNumberOfAnother) {
  journal.kinds = kNoPublications;
  Publish("alice", "one");
  Subscribe("alice", "bob");
  Publish("alice", "two");

  StartEngine();
  Publish("alice", "three");
  Subscribe("alice", "carol");

  const ResourceRows rows = journal.RowsOf(Key("alice"));
  ASSERT_THAT(rows.subscriptions, SizeIs(2));
  EXPECT_NE(rows.subscriptions[0]->ordinal, rows.subscriptions[1]->ordinal);
  EXPECT_THAT(rows.publications, IsEmpty());
}

}  // namespace
}  // namespace presence
