#include "presence-core/rpc/gateway_roster.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "presence-core/storage/write_through/write_through_journal.h"
#include "tests/fakes/fake_row_store.h"
#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FakeEnd final : public GatewayEnd {
 public:
  void End(const absl::Status&) override { is_ended_ = true; }
  void DrainAndEnd() override { is_ended_ = true; }
  bool is_ended() const override { return is_ended_; }

 private:
  bool is_ended_ = false;
};

// One of several cores, and the answers that its claims get.
class GatewayRosterTest : public testing::Test {
 protected:
  GatewayRosterTest() {
    GatewayClaims ports;
    ports.claim = [this](std::string group, std::string, GatewayClaims::Claimed done) {
      claims.emplace_back(std::move(group), std::move(done));
    };
    ports.leave = [this](std::string, std::string gateway) { left.push_back(std::move(gateway)); };
    roster = std::make_unique<GatewayRoster>(engine, executor, std::move(ports));
    EXPECT_TRUE(engine.Start().ok());
  }

  std::shared_ptr<FakeEnd> Greet(const std::string& gateway) {
    auto end = std::make_shared<FakeEnd>();
    v1::Hello hello;
    hello.set_gateway(gateway);
    hello.set_group("edge");
    hello.set_stream_number(++streams);
    roster->Greet(end, hello, [this, gateway](const absl::Status& status) {
      greeted.push_back(gateway + (status.ok() ? "" : " refused"));
    });
    return end;
  }
  // The oldest claim.
  void AnswerClaim(absl::StatusOr<bool> answer) {
    auto [group, done] = std::move(claims.front());
    claims.erase(claims.begin());
    done(std::move(answer));
    executor.RunUntilIdle();
  }
  void Lose(FakeEnd& end) {
    end.End(absl::CancelledError(""));
    roster->OnGone(end);
  }
  void Subscribe() {
    SubscribeCommand command;
    command.presentity = *PresentityUri::Parse("sip:alice@example.com");
    command.event = *EventName::Parse("presence");
    command.watcher = *WatcherUri::Parse("sip:bob@example.com");
    command.dialog.call_id = "call";
    command.dialog.remote_tag = "tag";
    command.dialog.remote_target = "sip:bob@192.0.2.1:5060";
    command.dialog.gateway = "edge";
    command.cseq = 1;
    engine.Subscribe(std::move(command), [](auto outcome) { EXPECT_TRUE(outcome.ok()); });
    executor.RunUntilIdle();
  }

  static WriteThroughJournal::Options Shared() {
    WriteThroughJournal::Options options;
    options.is_shared = true;
    return options;
  }

  ManualClock clock;
  ManualExecutor executor{clock};
  SeededRandom random{7};
  EngineConfig config;
  std::unique_ptr<EventRegistry> registry = MakeTextRegistry(UnknownWatcher::kAllow);
  FakeRowStore store{executor};
  WriteThroughJournal journal{store, Shared()};
  Engine engine{config,     *registry, std::make_shared<PolicySnapshot>(PolicySnapshot::Defaults{}),
                journal,    executor,  clock,
                random,
                /*epoch=*/1};
  std::vector<std::pair<std::string, GatewayClaims::Claimed>> claims;
  std::vector<std::string> left;
  std::vector<std::string> greeted;
  std::unique_ptr<GatewayRoster> roster;
  uint64_t streams = 0;
};

TEST_F(GatewayRosterTest, AGatewayIsServedWhenItsGroupIsClaimed) {
  Greet("gw-1");
  EXPECT_THAT(greeted, IsEmpty());

  AnswerClaim(true);

  EXPECT_THAT(greeted, ElementsAre("gw-1"));
}

TEST_F(GatewayRosterTest, AGatewayWhoseGroupIsElsewhereIsRefused) {
  Greet("gw-1");

  AnswerClaim(CoreUnreachable("core b has it", absl::Seconds(1)));

  EXPECT_THAT(greeted, ElementsAre("gw-1 refused"));
}

TEST_F(GatewayRosterTest, AnOlderStreamOfAGatewayEnds) {
  const auto older = Greet("gw-1");
  AnswerClaim(true);

  Greet("gw-1");

  EXPECT_TRUE(older->is_ended());
  roster->OnGone(*older);
  EXPECT_THAT(left, IsEmpty());
}

// The claim has taken the group from another core, which may have used any CSeq up to the limit.
// The stream that asked has gone, and the next claim finds the group here.
TEST_F(GatewayRosterTest, AGroupIsAdoptedAlthoughTheGatewayThatBroughtItHasLeft) {
  const auto first = Greet("gw-1");
  AnswerClaim(true);
  Subscribe();
  Lose(*first);
  const auto second = Greet("gw-1");
  Lose(*second);
  AnswerClaim(true);

  Greet("gw-1");
  AnswerClaim(false);
  RecordingLink link;
  const Engine::LinkId id = engine.AttachLink({"edge", "gw-1"}, link, 100);
  executor.RunFor(absl::Seconds(1));

  ASSERT_FALSE(link.sent.empty());
  EXPECT_EQ(link.sent.front().cseq, 257u);
  engine.DetachLink(id);
}

TEST_F(GatewayRosterTest, WhoBecameDueWhileTheGroupWasAwayIsToldWhenItIsBack) {
  const auto first = Greet("gw-1");
  AnswerClaim(true);
  RecordingLink link;
  Engine::LinkId id = engine.AttachLink({"edge", "gw-1"}, link, 100);
  Subscribe();
  ASSERT_EQ(link.sent.size(), 1u);
  const Instruction& told = link.sent.front();
  engine.Report(
      {{told.subscription->id, told.cseq, told.epoch, NotifyOutcome::kAnswered, 200, {}}});
  engine.DetachLink(id);
  Lose(*first);
  PublishCommand publish;
  publish.presentity = *PresentityUri::Parse("sip:alice@example.com");
  publish.event = *EventName::Parse("presence");
  publish.document = Document("text/plain", "open");
  engine.Publish(publish, [](auto outcome) { EXPECT_TRUE(outcome.ok()); });
  executor.RunUntilIdle();

  Greet("gw-1");
  AnswerClaim(false);
  id = engine.AttachLink({"edge", "gw-1"}, link, 100);
  executor.RunUntilIdle();

  ASSERT_EQ(link.sent.size(), 2u);
  EXPECT_EQ(link.sent.back().document.body(), "open");
  EXPECT_EQ(link.sent.back().cseq, 2u);
  engine.DetachLink(id);
}

}  // namespace
}  // namespace presence
