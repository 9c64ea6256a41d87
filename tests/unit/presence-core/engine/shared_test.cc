#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "presence-core/storage/write_through/write_through_journal.h"
#include "tests/fakes/fake_row_store.h"
#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Cores that share a database, each with a gateway of its own, on one clock that stands still. They
// hear of each other only when the test says so (Hear).
class SharedTest : public testing::Test {
 protected:
  struct Core {
    Core(SharedTest& test, const std::string& core_name)
        : name(core_name), journal(test.store, WriteThroughOptions()) {
      engine = std::make_unique<Engine>(
          test.config, *test.registry, std::make_shared<PolicySnapshot>(PolicySnapshot::Defaults{}),
          journal, test.executor, test.clock, test.random, kEpoch);
      EXPECT_TRUE(engine->Start().ok());
    }
    static WriteThroughJournal::Options WriteThroughOptions() {
      WriteThroughJournal::Options options;
      options.is_shared = true;
      return options;
    }

    const std::string name;
    WriteThroughJournal journal;
    std::unique_ptr<Engine> engine;
    RecordingLink gateway;
    Engine::LinkId link = 0;
    size_t seen = 0;
    size_t answered = 0;
  };
  static constexpr uint64_t kEpoch = 3;

  SharedTest() { config.stripes = 2; }

  void SetUp() override {
    for (const char* name : {"a", "b", "c"}) {
      cores.push_back(std::make_unique<Core>(*this, name));
      Connect(*cores.back(), std::string("gw-") + name, /*is_new=*/true);
    }
  }

  void Connect(Core& core, const std::string& group, bool is_new) {
    if (is_new) {
      core.engine->AdoptGroup(group);
    } else {
      core.engine->ResumeGroup(group);
    }
    core.link = core.engine->AttachLink({group, group}, core.gateway, 100000);
    executor.RunUntilIdle();
  }
  void Disconnect(Core& core, const std::string& group) {
    core.engine->DetachLink(core.link);
    core.engine->LeaveGroup(group);
    executor.RunUntilIdle();
  }

  static PresentityUri Presentity(const std::string& user) {
    return *PresentityUri::Parse("sip:" + user + "@example.com");
  }
  static ResourceKey Key(const std::string& user) {
    return {Presentity(user), *EventName::Parse("presence")};
  }
  static PublishCommand Publication(const std::string& user, const std::string& text,
                                    const Etag& if_match = {}) {
    PublishCommand command;
    command.presentity = Presentity(user);
    command.event = *EventName::Parse("presence");
    if (!text.empty()) command.document = Document("text/plain", text);
    command.etag = if_match;
    command.origin = RequestKey::Of({text, absl::StrCat(random_request++)});
    return command;
  }
  // Without letting anything else happen.
  std::shared_ptr<Result<PublishOutcome>> BeginPublish(Core& core, PublishCommand command) {
    auto result = std::make_shared<Result<PublishOutcome>>();
    core.engine->Publish(std::move(command),
                         [result](auto outcome) { *result = std::move(outcome); });
    return result;
  }
  Result<PublishOutcome> Publish(Core& core, PublishCommand command) {
    auto result = BeginPublish(core, std::move(command));
    executor.RunUntilIdle();
    return *result;
  }
  SubscribeCommand Subscription(Core& core, const std::string& watcher,
                                const std::string& event = "presence") {
    SubscribeCommand command;
    command.presentity = Presentity("alice");
    command.event = *EventName::Parse(event);
    command.watcher = *WatcherUri::Parse("sip:" + watcher + "@example.com");
    command.dialog.call_id = "call-" + watcher;
    command.dialog.remote_tag = "tag-" + watcher;
    command.dialog.remote_target = "sip:" + watcher + "@192.0.2.1:5060";
    command.dialog.gateway = "gw-" + core.name;
    command.cseq = 1;
    return command;
  }
  Result<SubscribeOutcome> Subscribe(Core& core, SubscribeCommand command) {
    auto result = std::make_shared<Result<SubscribeOutcome>>();
    core.engine->Subscribe(std::move(command),
                           [result](auto outcome) { *result = std::move(outcome); });
    executor.RunUntilIdle();
    return *result;
  }
  SubscribeCommand InDialog(Core& core, const std::string& watcher, const std::string& tag,
                            uint32_t cseq) {
    SubscribeCommand command = Subscription(core, watcher);
    command.local_tag = tag;
    command.cseq = cseq;
    return command;
  }
  // What the others did comes to the ears of this one.
  void Hear(Core& core) {
    core.engine->OnChangedElsewhere({Key("alice")});
    executor.RunUntilIdle();
  }
  void AllHear() {
    for (auto& core : cores) Hear(*core);
  }
  // Answers what is on its way, and what that sets off.
  void Answer(Core& core) {
    while (core.answered < core.gateway.sent.size()) {
      std::vector<NotifyReport> reports;
      for (; core.answered < core.gateway.sent.size(); ++core.answered) {
        const Instruction& sent = core.gateway.sent[core.answered];
        reports.push_back(
            {sent.subscription->id, sent.cseq, sent.epoch, NotifyOutcome::kAnswered, 200, {}});
      }
      core.engine->Report(std::move(reports));
      executor.RunUntilIdle();
    }
  }
  // What the core's gateway was told since the last call, as "bob 1 open".
  std::vector<std::string> Sent(Core& core) {
    std::vector<std::string> lines;
    for (; core.seen < core.gateway.sent.size(); ++core.seen) {
      const Instruction& sent = core.gateway.sent[core.seen];
      lines.push_back(absl::StrCat(std::string(sent.subscription->watcher.user()), " ", sent.cseq,
                                   " ", std::string(sent.document.body())));
    }
    return lines;
  }
  std::string State(Core& core) {
    StateQuery query;
    query.key = Key("alice");
    query.event = query.key.event;
    core.engine->Look(query.key, [](auto seen) { EXPECT_TRUE(seen.ok()); });
    executor.RunUntilIdle();
    const auto view = core.engine->GetState(query);
    return view.ok() ? std::string(view->document->body()) : std::string(view.status().message());
  }

  static inline int random_request = 0;
  ManualClock clock;
  ManualExecutor executor{clock};
  SeededRandom random{7};
  EngineConfig config;
  std::unique_ptr<EventRegistry> registry = MakeTextRegistry(UnknownWatcher::kAllow);
  FakeRowStore store{executor};
  std::vector<std::unique_ptr<Core>> cores;
};

TEST_F(SharedTest, WhatOneHasAnsweredTheOthersKnow) {
  const auto published = Publish(*cores[0], Publication("alice", "open"));
  ASSERT_TRUE(published.ok());

  EXPECT_EQ(State(*cores[1]), "open");
  const auto modified = Publish(*cores[1], Publication("alice", "busy", published->etag));
  ASSERT_TRUE(modified.ok()) << modified.status();
  EXPECT_EQ(State(*cores[2]), "busy");
  EXPECT_EQ(ReasonOf(Publish(*cores[0], Publication("alice", "", published->etag)).status()),
            ErrorReason::kEtagMismatch);
}

TEST_F(SharedTest, TwoThatPublishAtOnceBothDo) {
  const auto one = BeginPublish(*cores[0], Publication("alice", "one"));
  const auto two = BeginPublish(*cores[1], Publication("alice", "two"));
  executor.RunUntilIdle();

  ASSERT_TRUE(one->ok()) << one->status();
  ASSERT_TRUE(two->ok()) << two->status();
  EXPECT_THAT(State(*cores[2]), testing::AnyOf("one+two", "two+one"));
  EXPECT_EQ(cores[0]->engine->counters().moved + cores[1]->engine->counters().moved, 1u);
}

// P23
TEST_F(SharedTest, ThousandPublicationsOfOneUserThroughThreeCores) {
  for (auto& core : cores) ASSERT_TRUE(Subscribe(*core, Subscription(*core, core->name)).ok());
  Etag etag;
  SeededRandom dice(1);
  for (int i = 0; i < 1000; ++i) {
    Core& core = *cores[dice.Next64() % 3];
    const auto outcome = Publish(core, Publication("alice", absl::StrCat(i), etag));
    ASSERT_TRUE(outcome.ok()) << i << ": " << outcome.status();
    etag = outcome->etag;
    Core& other = *cores[dice.Next64() % 3];
    if (dice.Next64() % 2 == 0) Hear(other);
    if (dice.Next64() % 3 == 0) Answer(other);
  }
  AllHear();
  for (auto& core : cores) {
    Answer(*core);
    uint64_t seq = 0;
    uint32_t cseq = 0;
    for (const Instruction& sent : core->gateway.sent) {
      EXPECT_GE(sent.revision.seq, seq);
      EXPECT_EQ(sent.cseq, cseq + 1);
      seq = sent.revision.seq;
      cseq = sent.cseq;
    }
    EXPECT_EQ(core->gateway.sent.back().document.body(), "999");
  }
}

TEST_F(SharedTest, WatchersHearOfWhatWasPublishedElsewhere) {
  ASSERT_TRUE(Subscribe(*cores[1], Subscription(*cores[1], "bob")).ok());
  Answer(*cores[1]);
  EXPECT_THAT(Sent(*cores[1]), ElementsAre("bob 1 none"));

  Publish(*cores[0], Publication("alice", "open"));
  Hear(*cores[1]);

  EXPECT_THAT(Sent(*cores[1]), ElementsAre("bob 2 open"));
  EXPECT_THAT(Sent(*cores[0]), IsEmpty());
}

TEST_F(SharedTest, WhatMayHaveBeenMissedIsLookedFor) {
  ASSERT_TRUE(Subscribe(*cores[1], Subscription(*cores[1], "bob")).ok());
  Answer(*cores[1]);
  Publish(*cores[0], Publication("alice", "open"));
  Sent(*cores[1]);

  ASSERT_TRUE(cores[1]->engine->TakeOverAll().ok());
  executor.RunUntilIdle();

  EXPECT_THAT(Sent(*cores[1]), ElementsAre("bob 2 open"));
}

TEST_F(SharedTest, ADialogIsRefreshedAtACoreThatHasNotHeardOfIt) {
  const auto begun = Subscribe(*cores[0], Subscription(*cores[0], "bob"));
  ASSERT_TRUE(begun.ok());

  const auto refreshed = Subscribe(*cores[1], InDialog(*cores[1], "bob", begun->id.text(), 2));

  EXPECT_TRUE(refreshed.ok()) << refreshed.status();
}

// It has moved to the gateway that it was refreshed through: CSeqs go on above what was used.
TEST_F(SharedTest, ADialogThatMovesToAnotherGatewayIsToldThereAlone) {
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
TEST_F(SharedTest, AGatewayThatComesFromAnotherCoreBringsItsDialogs) {
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

TEST_F(SharedTest, AGatewayThatComesBackAndWasNowhereElseGoesOn) {
  ASSERT_TRUE(Subscribe(*cores[0], Subscription(*cores[0], "bob")).ok());
  Answer(*cores[0]);
  Disconnect(*cores[0], "gw-a");
  Connect(*cores[0], "gw-a", /*is_new=*/false);

  Publish(*cores[0], Publication("alice", "open"));

  EXPECT_THAT(Sent(*cores[0]), ElementsAre("bob 1 none", "bob 2 open"));
}

// Both go to and fro, and neither uses a CSeq that the other has used.
TEST_F(SharedTest, CseqsRiseHoweverOftenAGatewayMoves) {
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

TEST_F(SharedTest, AnExpiryThatAllNoticeHappensOnce) {
  ASSERT_TRUE(Subscribe(*cores[1], Subscription(*cores[1], "bob")).ok());
  PublishCommand command = Publication("alice", "open");
  command.expiry = absl::Seconds(60);
  Publish(*cores[0], std::move(command));
  AllHear();
  Answer(*cores[1]);
  Sent(*cores[1]);

  executor.RunFor(absl::Seconds(61));
  AllHear();
  Answer(*cores[1]);

  EXPECT_THAT(Sent(*cores[1]), ElementsAre("bob 3 none"));
  const auto rows = store.rows().Find(Key("alice"));
  EXPECT_THAT(rows->publications, IsEmpty());
}

// One whose timers are off stands for one that has died.
TEST_F(SharedTest, OthersExpireWhatADeadOneLeft) {
  config.sweep_interval = absl::ZeroDuration();
  Core dead(*this, "dead");
  PublishCommand command = Publication("alice", "open");
  command.expiry = absl::Seconds(60);
  Publish(dead, std::move(command));
  Hear(*cores[1]);

  executor.RunFor(absl::Seconds(62));

  EXPECT_THAT(store.rows().Find(Key("alice"))->publications, IsEmpty());
  executor.Clear();
}

TEST_F(SharedTest, AnAnswerThatIsLostIsLookedFor) {
  ASSERT_TRUE(Subscribe(*cores[0], Subscription(*cores[0], "bob")).ok());
  Answer(*cores[0]);
  store.fate = [] { return FakeRowStore::Fate::kUnknownWritten; };
  EXPECT_FALSE(Publish(*cores[0], Publication("alice", "open")).ok());
  store.fate = [] { return FakeRowStore::Fate::kCommitted; };
  Answer(*cores[0]);

  EXPECT_EQ(State(*cores[0]), "open");
  EXPECT_THAT(Sent(*cores[0]), ElementsAre("bob 1 none", "bob 2 open"));
}

// P20: who asks while the database is away is told so, and nothing else.
TEST_F(SharedTest, NobodyIsToldWhatCannotBeLookedFor) {
  store.read_fails = [] { return true; };
  EXPECT_EQ(ReasonOf(Publish(*cores[0], Publication("alice", "", Etag("unknown"))).status()),
            ErrorReason::kStorageUnavailable);
  store.read_fails = [] { return false; };
  EXPECT_EQ(ReasonOf(Publish(*cores[0], Publication("alice", "", Etag("unknown"))).status()),
            ErrorReason::kEtagMismatch);
}

TEST_F(SharedTest, WatchersOfWatchersSeeWhoSubscribedElsewhere) {
  SubscribeCommand winfo = Subscription(*cores[1], "alice", "presence.winfo");
  ASSERT_TRUE(Subscribe(*cores[1], winfo).ok());
  Answer(*cores[1]);
  const size_t before = cores[1]->gateway.sent.size();

  ASSERT_TRUE(Subscribe(*cores[0], Subscription(*cores[0], "bob")).ok());
  Hear(*cores[1]);

  ASSERT_EQ(cores[1]->gateway.sent.size(), before + 1);
  EXPECT_THAT(std::string(cores[1]->gateway.sent.back().document.body()),
              testing::HasSubstr("bob@example.com active"));
}

}  // namespace
}  // namespace presence
