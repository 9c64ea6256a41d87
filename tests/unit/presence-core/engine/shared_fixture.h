#ifndef PRESENCE_TESTS_UNIT_PRESENCE_CORE_ENGINE_SHARED_FIXTURE_H_
#define PRESENCE_TESTS_UNIT_PRESENCE_CORE_ENGINE_SHARED_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "presence-core/storage/write_through/write_through_journal.h"
#include "tests/fakes/fake_row_store.h"
#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {

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

  // A program that watches alice over gRPC for bob, and has taken what it was told first.
  struct Program {
    Program(Core& at, ManualExecutor& executor) : core(at) {
      link = core.engine->AttachLink({"watch/1", ""}, stream, 100);
      core.engine->Watch({Presentity("alice"), *EventName::Parse("presence"),
                          *WatcherUri::Parse("sip:bob@example.com"), "watch/1", std::nullopt},
                         [](auto outcome) { EXPECT_TRUE(outcome.ok()); });
      executor.RunUntilIdle();
      const Instruction& told = stream.sent.at(0);
      core.engine->Report(
          {{told.subscription->id, told.cseq, told.epoch, NotifyOutcome::kAnswered, 200, {}}});
    }
    ~Program() { core.engine->DetachLink(link); }
    SubscriptionState state() const { return stream.sent.back().state; }

    Core& core;
    RecordingLink stream;
    Engine::LinkId link;
  };
  static DecideWatcherCommand BlockBob() {
    DecideWatcherCommand block;
    block.presentity = Presentity("alice");
    block.event = *EventName::Parse("presence");
    block.watcher = *WatcherUri::Parse("sip:bob@example.com");
    block.decision = WatcherDecision::kBlock;
    return block;
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

}  // namespace presence

#endif  // PRESENCE_TESTS_UNIT_PRESENCE_CORE_ENGINE_SHARED_FIXTURE_H_
