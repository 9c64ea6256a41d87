#include "presence-core/rpc/gateway_session.h"

#include "presence/v1/errors.pb.h"
#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

// One gateway at the core, frame by frame; no gRPC anywhere.
class GatewaySessionTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    engine->DetachLink(link);
    session = NewSession();
  }

  std::shared_ptr<GatewaySession> NewSession() {
    return GatewaySession::Create(*engine, clock, "core1", [this] { ++wakes; });
  }

  static v1::ConnectRequest Hello(uint32_t credit = 100, const std::string& name = "gw") {
    v1::ConnectRequest frame;
    frame.mutable_hello()->set_gateway(name);
    frame.mutable_hello()->set_stream_number(1);
    frame.mutable_hello()->set_instruction_credit(credit);
    return frame;
  }

  static v1::GatewayCommand* AddPublish(v1::ConnectRequest& frame, uint64_t id,
                                        const std::string& user, const std::string& text) {
    v1::GatewayCommand* command = frame.add_commands();
    command->set_command_id(id);
    v1::PublishRequest& publish = *command->mutable_publish();
    publish.set_presentity("sip:" + user + "@example.com");
    publish.set_event("presence");
    publish.mutable_document()->set_content_type("text/plain");
    publish.mutable_document()->set_body(text);
    return command;
  }

  static void AddSubscribe(v1::ConnectRequest& frame, uint64_t id, const std::string& user,
                           const std::string& watcher) {
    v1::GatewayCommand* command = frame.add_commands();
    command->set_command_id(id);
    v1::SubscribeRequest& subscribe = *command->mutable_subscribe();
    subscribe.set_presentity("sip:" + user + "@example.com");
    subscribe.set_event("presence");
    subscribe.set_watcher("sip:" + watcher + "@example.com");
    subscribe.set_cseq(1);
    v1::Dialog& dialog = *subscribe.mutable_dialog();
    dialog.set_call_id("call-" + watcher + std::to_string(id));
    dialog.set_remote_tag("tag");
    dialog.set_local_uri("sip:" + user + "@example.com");
    dialog.set_remote_uri("sip:" + watcher + "@example.com");
    dialog.set_remote_target("sip:" + watcher + "@192.0.2.1");
  }

  absl::Status Send(const v1::ConnectRequest& frame) {
    absl::Status status = session->OnFrame(frame);
    executor.RunUntilIdle();
    return status;
  }

  // Everything that is ready, as one frame after the other.
  std::vector<v1::ConnectResponse> Frames() {
    std::vector<v1::ConnectResponse> frames;
    v1::ConnectResponse frame;
    while (session->TakeFrame(frame)) frames.push_back(frame);
    return frames;
  }

  static v1::NotifyResult ResultOf(const v1::NotifyInstruction& instruction, uint32_t code) {
    v1::NotifyResult result;
    result.mutable_id()->set_local_tag(instruction.dialog().local_tag());
    result.mutable_id()->set_cseq(instruction.cseq());
    result.mutable_id()->set_epoch(instruction.epoch());
    result.set_outcome(v1::NotifyResult::OUTCOME_ANSWERED);
    result.set_code(code);
    return result;
  }

  int wakes = 0;
  std::shared_ptr<GatewaySession> session;
};

// Both go into the rows of its dialogs.
TEST_F(GatewaySessionTest, IsRefusedWithANameThatIsNoText) {
  for (const std::string& bad : {std::string("edge\0", 5), std::string("edge\xFF")}) {
    EXPECT_EQ(MetadataOf(NewSession()->OnFrame(Hello(100, bad)))["field"], "hello.gateway");

    v1::ConnectRequest frame = Hello();
    frame.mutable_hello()->set_group(bad);
    EXPECT_EQ(MetadataOf(NewSession()->OnFrame(frame))["field"], "hello.group");
  }
}

TEST_F(GatewaySessionTest, WelcomesAGatewayWithWhatIsServed) {
  ASSERT_TRUE(Send(Hello()).ok());

  const auto frames = Frames();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].welcome().core(), "core1");
  EXPECT_EQ(frames[0].welcome().epoch(), engine->epoch());
  EXPECT_EQ(frames[0].welcome().command_credit(), 4096u);
  EXPECT_THAT(frames[0].welcome().events(), testing::ElementsAre("presence", "presence.winfo"));
}

TEST_F(GatewaySessionTest, RefusesFramesBeforeHelloAndASecondHello) {
  v1::ConnectRequest early;
  AddPublish(early, 1, "alice", "open");

  EXPECT_EQ(ReasonOf(session->OnFrame(early)), ErrorReason::kInvalidField);
  ASSERT_TRUE(session->OnFrame(Hello()).ok());
  EXPECT_EQ(ReasonOf(session->OnFrame(Hello())), ErrorReason::kInvalidField);
}

// P04 S01
TEST_F(GatewaySessionTest, AnswersCommandsBeforeItInstructs) {
  v1::ConnectRequest frame = Hello();
  AddSubscribe(frame, 1, "alice", "bob");
  AddPublish(frame, 2, "alice", "open");
  ASSERT_TRUE(Send(frame).ok());

  const auto frames = Frames();

  ASSERT_EQ(frames.size(), 1u);
  ASSERT_EQ(frames[0].replies_size(), 2);
  EXPECT_TRUE(frames[0].replies(0).subscribe().created());
  EXPECT_EQ(frames[0].replies(1).publish().etag().size(), 24u);
  EXPECT_EQ(frames[0].command_credit(), 2u);
  ASSERT_EQ(frames[0].instructions_size(), 1);
  EXPECT_EQ(frames[0].bodies(frames[0].instructions(0).body() - 1), "open");
  EXPECT_EQ(frames[0].instructions(0).dialog().gateway(), "gw");
}

TEST_F(GatewaySessionTest, CarriesABodyOnceAFrame) {
  v1::ConnectRequest frame = Hello();
  for (uint64_t i = 0; i < 5; ++i) AddSubscribe(frame, i, "alice", "w" + std::to_string(i));
  AddPublish(frame, 9, "alice", "open");
  ASSERT_TRUE(Send(frame).ok());

  const auto frames = Frames();

  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].instructions_size(), 5);
  EXPECT_EQ(frames[0].bodies_size(), 1);
}

TEST_F(GatewaySessionTest, KeepsFramesUnderTheLimit) {
  v1::ConnectRequest frame = Hello(1000);
  for (uint64_t i = 0; i < 40; ++i) {
    const std::string user = "user" + std::to_string(i);
    AddSubscribe(frame, i, user, "bob");
    AddPublish(frame, 100 + i, user, std::string(20'000, 'x'));
  }
  ASSERT_TRUE(Send(frame).ok());

  int instructions = 0;
  for (const v1::ConnectResponse& out : Frames()) {
    EXPECT_LT(out.ByteSizeLong(), 128u * 1024);
    instructions += out.instructions_size();
  }
  EXPECT_EQ(instructions, 40);
}

TEST_F(GatewaySessionTest, InstructsNoMoreThanTheCreditAndGoesOnWithMore) {
  v1::ConnectRequest frame = Hello(2);
  for (uint64_t i = 0; i < 5; ++i) AddSubscribe(frame, i, "alice", "w" + std::to_string(i));
  ASSERT_TRUE(Send(frame).ok());
  int before = 0;
  for (const auto& out : Frames()) before += out.instructions_size();

  v1::ConnectRequest more;
  more.set_instruction_credit(10);
  ASSERT_TRUE(Send(more).ok());
  int after = 0;
  for (const auto& out : Frames()) after += out.instructions_size();

  EXPECT_EQ(before, 2);
  EXPECT_EQ(after, 3);
}

TEST_F(GatewaySessionTest, EndsAGatewayThatOverdrawsItsCredit) {
  ASSERT_TRUE(Send(Hello()).ok());
  journal.answers_by_itself = false;
  v1::ConnectRequest frame;
  for (uint64_t i = 0; i < 4097; ++i) AddPublish(frame, i, "alice", "x");

  EXPECT_EQ(ReasonOf(session->OnFrame(frame)), ErrorReason::kOverloaded);
}

TEST_F(GatewaySessionTest, RefusesWithTheReasonAndItsValues) {
  v1::ConnectRequest frame = Hello();
  AddPublish(frame, 1, "alice", "open")->mutable_publish()->set_event("weather");
  AddPublish(frame, 2, "alice", "open")->mutable_publish()->set_etag("stale");
  v1::GatewayCommand* unknown = frame.add_commands();
  unknown->set_command_id(3);
  ASSERT_TRUE(Send(frame).ok());

  const auto frames = Frames();

  ASSERT_EQ(frames.at(0).replies_size(), 3);
  EXPECT_EQ(frames[0].replies(0).error().reason(), v1::ERROR_REASON_UNKNOWN_EVENT);
  EXPECT_EQ(frames[0].replies(0).error().metadata().at("allow_events"), "presence, presence.winfo");
  EXPECT_EQ(frames[0].replies(1).error().reason(), v1::ERROR_REASON_ETAG_MISMATCH);
  EXPECT_EQ(frames[0].replies(2).error().reason(), v1::ERROR_REASON_INVALID_FIELD);
}

TEST_F(GatewaySessionTest, ANewStreamIsToldOnlyWhatTheGatewayNoLongerWorksOn) {
  v1::ConnectRequest frame = Hello();
  AddSubscribe(frame, 1, "alice", "bob");
  AddSubscribe(frame, 2, "alice", "carol");
  AddSubscribe(frame, 3, "alice", "dora");
  ASSERT_TRUE(Send(frame).ok());
  std::map<std::string, v1::NotifyInstruction> instructed;
  for (const auto& out : Frames()) {
    for (const auto& i : out.instructions()) instructed[i.dialog().remote_uri()] = i;
  }
  ASSERT_EQ(instructed.size(), 3u);
  session->Close();

  // bob's is answered meanwhile, carol's still on its way, dora's was lost.
  session = NewSession();
  v1::ConnectRequest again = Hello();
  *again.add_results() = ResultOf(instructed["sip:bob@example.com"], 200);
  *again.mutable_hello()->add_in_flight() = ResultOf(instructed["sip:carol@example.com"], 200).id();
  ASSERT_TRUE(Send(again).ok());

  std::vector<std::string> told;
  for (const auto& out : Frames()) {
    for (const auto& i : out.instructions()) told.push_back(i.dialog().remote_uri());
  }
  EXPECT_THAT(told, testing::ElementsAre("sip:dora@example.com"));
}

// N08
TEST_F(GatewaySessionTest, InstructsTheGatewayOfAGroupOverWhoseConnectionTheSubscribeCame) {
  const auto first = NewSession();
  for (const auto& [to, name] : {std::pair(first, "one"), std::pair(session, "two")}) {
    v1::ConnectRequest hello = Hello(100, name);
    hello.mutable_hello()->set_group("edge");
    ASSERT_TRUE(to->OnFrame(hello).ok());
  }
  v1::ConnectRequest frame;
  AddSubscribe(frame, 1, "alice", "bob");
  frame.mutable_commands(0)->mutable_subscribe()->mutable_dialog()->set_flow("7f");
  ASSERT_TRUE(Send(frame).ok());

  const auto frames = Frames();

  ASSERT_EQ(frames.back().instructions_size(), 1);
  EXPECT_EQ(frames.back().instructions(0).dialog().flow(), "7f");
  EXPECT_EQ(frames.back().instructions(0).dialog().gateway(), "edge");
  v1::ConnectResponse other;
  ASSERT_TRUE(first->TakeFrame(other));
  EXPECT_EQ(other.instructions_size(), 0);
}

// N03
TEST_F(GatewaySessionTest, AResultOf481EndsTheSubscription) {
  v1::ConnectRequest frame = Hello();
  AddSubscribe(frame, 1, "alice", "bob");
  ASSERT_TRUE(Send(frame).ok());
  const auto frames = Frames();

  v1::ConnectRequest results;
  *results.add_results() = ResultOf(frames.at(0).instructions(0), 481);
  ASSERT_TRUE(Send(results).ok());

  EXPECT_EQ(engine->CountSubscribers(Key("alice")), 0u);
}

TEST_F(GatewaySessionTest, AnAnswerAfterTheStreamHasGoneReachesNobody) {
  ASSERT_TRUE(Send(Hello()).ok());
  Frames();
  journal.answers_by_itself = false;
  v1::ConnectRequest frame;
  AddPublish(frame, 1, "alice", "open");
  ASSERT_TRUE(Send(frame).ok());

  session->Close();
  session.reset();
  journal.RunHeld();
  executor.RunUntilIdle();

  EXPECT_EQ(engine->ListPublications({}).rows.size(), 1u);
}

TEST_F(GatewaySessionTest, TheWatcherOfAQuietPresentityIsNotToldBehindAllOfABusyOne) {
  ASSERT_TRUE(Send(Hello(4096)).ok());
  v1::ConnectRequest subscribes;
  constexpr uint64_t kBusy = 1000;
  for (uint64_t id = 1; id <= kBusy; ++id) {
    AddSubscribe(subscribes, id, "busy", "w" + std::to_string(id));
  }
  AddSubscribe(subscribes, kBusy + 1, "quiet", "w");
  ASSERT_TRUE(Send(subscribes).ok());
  v1::ConnectRequest results;
  for (const v1::ConnectResponse& frame : Frames()) {
    for (const auto& instruction : frame.instructions()) {
      *results.add_results() = ResultOf(instruction, 200);
    }
  }
  ASSERT_EQ(results.results_size(), kBusy + 1);
  results.set_instruction_credit(kBusy + 1);
  ASSERT_TRUE(Send(results).ok());

  v1::ConnectRequest publishes;
  AddPublish(publishes, kBusy + 2, "busy", "one");
  AddPublish(publishes, kBusy + 3, "quiet", "two");
  ASSERT_TRUE(Send(publishes).ok());
  size_t before = 0;
  bool is_told = false;
  std::set<std::pair<std::string, uint32_t>> resources;
  for (const v1::ConnectResponse& frame : Frames()) {
    for (const auto& instruction : frame.instructions()) {
      resources.emplace(instruction.dialog().local_uri(), instruction.resource());
      is_told = is_told || instruction.dialog().local_uri() == "sip:quiet@example.com";
      before += is_told ? 0 : 1;
    }
  }
  EXPECT_TRUE(is_told);
  EXPECT_LE(before, (FairQueue<uint32_t, Instruction>::kTurn));
  // The gateway has them take turns by the same mark.
  ASSERT_EQ(resources.size(), 2u);
  EXPECT_NE(resources.begin()->second, resources.rbegin()->second);
}

}  // namespace
}  // namespace presence
