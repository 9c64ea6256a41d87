#include "presence-core/rpc/watch_session.h"

#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;

class WatchSessionTest : public EngineTest {
 protected:
  std::shared_ptr<WatchSession> Open(const v1::WatchRequest& request, size_t max_queue = 1024) {
    auto session =
        WatchSession::Create(*engine, clock, "watch/" + std::to_string(++calls), max_queue, [] {});
    opened = session->Start(request);
    executor.RunUntilIdle();
    return session;
  }

  static v1::WatchRequest Request(const std::string& watcher,
                                  std::initializer_list<std::string> presentities) {
    v1::WatchRequest request;
    request.set_watcher("sip:" + watcher + "@example.com");
    for (const std::string& user : presentities) {
      request.add_targets()->set_presentity("sip:" + user + "@example.com");
    }
    return request;
  }

  // Reads what there is, writing each item at once: "state alice open", "status alice pending", ...
  std::vector<std::string> Read(WatchSession& session) {
    std::vector<std::string> lines;
    v1::WatchResponse item;
    while (session.Take(item)) {
      lines.push_back(Describe(item));
      token = item.resume_token();
      session.OnWritten();
      executor.RunUntilIdle();
    }
    return lines;
  }

  static std::string Describe(const v1::WatchResponse& item) {
    switch (item.item_case()) {
      case v1::WatchResponse::kState:
        return "state " + item.state().presentity() + " " + item.state().document().text();
      case v1::WatchResponse::kStatus:
        return "status " + item.status().presentity() + " " +
               v1::SubscriptionState_Name(item.status().state()).substr(19) + " " +
               v1::TerminationReason_Name(item.status().reason()).substr(19);
      case v1::WatchResponse::kSnapshotDone:
        return "done";
      case v1::WatchResponse::kReset:
        return "reset";
      case v1::WatchResponse::kHeartbeat:
        return "heartbeat";
      default:
        return "nothing";
    }
  }

  absl::Status opened;
  std::string token;
};

// O08
TEST_F(WatchSessionTest, SendsASnapshotAMarkAndThenChanges) {
  Publish("alice", "open");
  auto session = Open(Request("app", {"alice", "dora"}));

  EXPECT_THAT(Read(*session), testing::UnorderedElementsAre("state alice@example.com open",
                                                            "state dora@example.com none", "done"));
  Publish("alice", "busy");
  EXPECT_THAT(Read(*session), ElementsAre("state alice@example.com busy+open"));
}

// O08
TEST_F(WatchSessionTest, ACurrentTokenBringsNoSecondSnapshot) {
  Publish("alice", "open");
  auto session = Open(Request("app", {"alice"}));
  Read(*session);
  session->Close();

  v1::WatchRequest again = Request("app", {"alice"});
  again.set_resume_token(token);
  session = Open(again);

  EXPECT_THAT(Read(*session), ElementsAre("done"));
  Publish("alice", "busy");
  EXPECT_THAT(Read(*session), ElementsAre("state alice@example.com busy+open"));
}

// O08
TEST_F(WatchSessionTest, AnOldTokenBringsTheStateAndATokenOfAnotherLifeAReset) {
  Publish("alice", "open");
  auto session = Open(Request("app", {"alice"}));
  Read(*session);
  session->Close();
  v1::WatchRequest again = Request("app", {"alice"});
  again.set_resume_token(token);
  Publish("alice", "busy");

  session = Open(again);
  EXPECT_THAT(Read(*session), ElementsAre("state alice@example.com busy+open", "done"));
  session->Close();
  session.reset();
  StartEngine();
  session = Open(again);

  EXPECT_THAT(Read(*session), ElementsAre("reset", "state alice@example.com busy+open", "done"));
}

TEST_F(WatchSessionTest, RefusesATokenOfOtherTargets) {
  auto session = Open(Request("app", {"alice"}));
  Read(*session);

  v1::WatchRequest other = Request("app", {"dora"});
  other.set_resume_token(token);
  Open(other);
  EXPECT_EQ(ReasonOf(opened), ErrorReason::kBadToken);
  other.set_resume_token("rubbish");
  Open(other);
  EXPECT_EQ(ReasonOf(opened), ErrorReason::kBadToken);
}

// N06
TEST_F(WatchSessionTest, ASlowReaderGetsTheNewestStateOnly) {
  auto session = Open(Request("app", {"alice"}));
  Read(*session);

  for (const char* text : {"a", "b", "c", "d"}) Publish("alice", text);

  EXPECT_THAT(Read(*session),
              ElementsAre("state alice@example.com a", "state alice@example.com d+c+b+a"));
}

// S11, S12
TEST_F(WatchSessionTest, SaysPendingAndThenShowsTheState) {
  registry = MakeTextRegistry(UnknownWatcher::kPending);
  StartEngine();
  Publish("alice", "open");
  auto session = Open(Request("app", {"alice"}));
  EXPECT_THAT(Read(*session), ElementsAre("status alice@example.com PENDING UNSPECIFIED", "done"));

  Decide("alice", "app", WatcherDecision::kAllow);
  EXPECT_THAT(Read(*session), ElementsAre("status alice@example.com ACTIVE UNSPECIFIED",
                                          "state alice@example.com open"));
  Decide("alice", "app", WatcherDecision::kBlock);

  EXPECT_THAT(Read(*session), ElementsAre("status alice@example.com TERMINATED REJECTED"));
}

// S11
TEST_F(WatchSessionTest, ABlockedSingleTargetFailsAndOneOfSeveralIsTold) {
  Decide("alice", "app", WatcherDecision::kBlock);

  auto single = Open(Request("app", {"alice"}));
  ASSERT_TRUE(single->ended().has_value());
  EXPECT_EQ(ReasonOf(*single->ended()), ErrorReason::kWatcherBlocked);
  auto several = Open(Request("app", {"alice", "dora"}));

  EXPECT_FALSE(several->ended().has_value());
  EXPECT_THAT(Read(*several), ElementsAre("status alice@example.com TERMINATED REJECTED",
                                          "state dora@example.com none", "done"));
}

// W01, W03, W05
TEST_F(WatchSessionTest, ShowsInWatcherInformationWhileItLives) {
  auto first = Open(Request("app", {"alice"}));
  EXPECT_EQ(engine->CountSubscribers(Key("alice")), 1u);
  Subscribe("alice", "alice", "presence.winfo");
  Answer();
  auto second = Open(Request("other", {"alice"}));
  Answer();
  first->Close();
  executor.RunUntilIdle();
  Answer();

  EXPECT_THAT(Sent(), ElementsAre("alice 1 active full 0: app@example.com active subscribe;",
                                  "alice 2 active partial 1: other@example.com active subscribe;",
                                  "alice 3 active partial 2: app@example.com terminated timeout;"));
  EXPECT_EQ(engine->CountSubscribers(Key("alice")), 1u);
}

// P09
TEST_F(WatchSessionTest, SaysNothingOfARefresh) {
  PublishCommand refresh = Publication("alice", "open");
  refresh.etag = Publish("alice", "open")->etag;
  refresh.document.reset();
  auto session = Open(Request("app", {"alice"}));
  Read(*session);

  ASSERT_TRUE(Publish(refresh).ok());

  EXPECT_THAT(Read(*session), testing::IsEmpty());
}

// P24
TEST_F(WatchSessionTest, ShowsWithinASecondThatAPublicationHasExpired) {
  PublishCommand shortly = Publication("alice", "open");
  shortly.expiry = absl::Seconds(60);
  Publish(shortly);
  auto session = Open(Request("app", {"alice"}));
  Read(*session);

  executor.RunFor(absl::Seconds(59));
  EXPECT_THAT(Read(*session), testing::IsEmpty());
  executor.RunFor(absl::Seconds(2));

  EXPECT_THAT(Read(*session), ElementsAre("state alice@example.com none"));
}

TEST_F(WatchSessionTest, SendsAHeartbeatAfterSilence) {
  v1::WatchRequest request = Request("app", {"alice"});
  request.mutable_heartbeat()->set_seconds(5);
  auto session = Open(request);
  Read(*session);

  clock.Advance(absl::Seconds(4));
  session->OnHeartbeatDue();
  EXPECT_THAT(Read(*session), testing::IsEmpty());
  clock.Advance(absl::Seconds(1));
  session->OnHeartbeatDue();

  EXPECT_THAT(Read(*session), ElementsAre("heartbeat"));
}

TEST_F(WatchSessionTest, EndsAStreamThatIsNotRead) {
  auto session = Open(Request("app", {"a", "b", "c", "d"}), 2);

  ASSERT_TRUE(session->ended().has_value());
  EXPECT_EQ(ReasonOf(*session->ended()), ErrorReason::kOverloaded);
}

// S23: an unknown event among them.
TEST_F(WatchSessionTest, RefusesBadRequests) {
  Open(Request("app", {}));
  EXPECT_EQ(ReasonOf(opened), ErrorReason::kInvalidField);
  Open(Request("app", {"alice", "alice"}));
  EXPECT_EQ(ReasonOf(opened), ErrorReason::kInvalidField);
  v1::WatchRequest request = Request("app", {"alice"});
  request.mutable_heartbeat()->set_seconds(16);
  Open(request);
  EXPECT_EQ(ReasonOf(opened), ErrorReason::kInvalidField);
  request = Request("app", {"alice"});
  request.mutable_targets(0)->set_event("weather");
  Open(request);
  EXPECT_EQ(ReasonOf(opened), ErrorReason::kUnknownEvent);
}

}  // namespace
}  // namespace presence
