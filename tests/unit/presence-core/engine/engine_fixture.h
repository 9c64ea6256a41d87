#ifndef PRESENCE_TESTS_UNIT_PRESENCE_CORE_ENGINE_ENGINE_FIXTURE_H_
#define PRESENCE_TESTS_UNIT_PRESENCE_CORE_ENGINE_ENGINE_FIXTURE_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "presence-core/engine/engine.h"
#include "presence-core/model/error.h"
#include "presence-core/storage/memory/memory_journal.h"
#include "runtime/manual_executor.h"
#include "tests/fakes/scripted_journal.h"
#include "tests/fakes/text_package.h"

namespace presence {

// A gateway that keeps what it is told to send, and answers when the test says.
class RecordingLink final : public WatcherLink {
 public:
  void Deliver(std::vector<Instruction> instructions) override {
    for (Instruction& instruction : instructions) sent.push_back(std::move(instruction));
  }

  std::vector<Instruction> sent;
};

// Remembers what had no room in a document.
class RecordingCuts final : public DocumentCuts {
 public:
  void OnCut(const ResourceKey& resource, CutDocument of, size_t left_out) override {
    cuts.push_back(std::string(resource.presentity.user()) +
                   (of == CutDocument::kWinfo ? " winfo " : " state ") + std::to_string(left_out));
  }
  std::vector<std::string> cuts;
};

// What a call was answered; unlike absl::StatusOr it may be left unread where the call is only
// scenery.
template <typename T>
class Result {
 public:
  Result() : result_(absl::UnknownError("never answered")) {}
  Result& operator=(absl::StatusOr<T> result) {
    result_ = std::move(result);
    return *this;
  }
  bool ok() const { return result_.ok(); }
  absl::Status status() const { return result_.status(); }
  const T* operator->() const { return &*result_; }

 private:
  absl::StatusOr<T> result_;
};

// An engine on a clock that stands still, with one gateway "gw" attached. Texts are documents
// (tests/fakes/text_package.h); "alice" is alice@example.com.
class EngineTest : public testing::Test {
 protected:
  EngineTest() : EngineTest(EngineConfig()) {}
  explicit EngineTest(EngineConfig engine_config, UnknownWatcher unknown = UnknownWatcher::kAllow)
      : config(std::move(engine_config)), registry(MakeTextRegistry(unknown)) {
    config.stripes = 2;
  }

  void SetUp() override { StartEngine(); }

  // Starts a new life of the engine on the rows that the journal has.
  void StartEngine() {
    ++epoch;
    executor.Clear();
    journal.DropHeld();
    engine = std::make_unique<Engine>(
        config, *registry, std::make_shared<PolicySnapshot>(PolicySnapshot::Defaults{}),
        use_memory ? static_cast<Journal&>(memory) : journal, executor, clock, random, epoch,
        std::vector<Executor*>(), &cuts);
    ASSERT_TRUE(engine->Start().ok());
    gateway.sent.clear();
    answered = seen = 0;
    link = engine->AttachLink({"gw", "gw"}, gateway, credit);
    executor.RunUntilIdle();
  }

  static PresentityUri Presentity(const std::string& user) {
    return *PresentityUri::Parse("sip:" + user + "@example.com");
  }
  static WatcherUri Watcher(const std::string& user) {
    return *WatcherUri::Parse("sip:" + user + "@example.com");
  }
  static EventName Event(const std::string& name) { return *EventName::Parse(name); }
  static ResourceKey Key(const std::string& user) { return {Presentity(user), Event("presence")}; }

  static PublishCommand Publication(const std::string& user, const std::string& text) {
    PublishCommand command;
    command.presentity = Presentity(user);
    command.event = Event("presence");
    command.document = Document("text/plain", text);
    return command;
  }

  Result<PublishOutcome> Publish(PublishCommand command) {
    Result<PublishOutcome> result;
    engine->Publish(std::move(command), [&](auto outcome) { result = std::move(outcome); });
    executor.RunUntilIdle();
    return result;
  }
  Result<PublishOutcome> Publish(const std::string& user, const std::string& text) {
    return Publish(Publication(user, text));
  }

  SubscribeCommand Subscription(const std::string& presentity, const std::string& watcher,
                                const std::string& event = "presence") {
    SubscribeCommand command;
    command.presentity = Presentity(presentity);
    command.event = Event(event);
    command.watcher = Watcher(watcher);
    command.dialog.call_id = "call-" + std::to_string(++calls);
    command.dialog.remote_tag = "tag-" + watcher;
    command.dialog.local_uri = "sip:" + presentity + "@example.com";
    command.dialog.remote_uri = "sip:" + watcher + "@example.com";
    command.dialog.remote_target = "sip:" + watcher + "@192.0.2.1:5060";
    command.dialog.gateway = "gw";
    command.cseq = 1;
    return command;
  }

  Result<SubscribeOutcome> Subscribe(const SubscribeCommand& command) {
    Result<SubscribeOutcome> result;
    engine->Subscribe(command, [&](auto outcome) { result = std::move(outcome); });
    executor.RunUntilIdle();
    return result;
  }
  Result<SubscribeOutcome> Subscribe(const std::string& presentity, const std::string& watcher,
                                     const std::string& event = "presence") {
    return Subscribe(Subscription(presentity, watcher, event));
  }

  void Decide(const std::string& presentity, const std::string& watcher, WatcherDecision decision) {
    DecideWatcherCommand command;
    command.presentity = Presentity(presentity);
    command.event = Event("presence");
    command.watcher = Watcher(watcher);
    command.decision = decision;
    engine->DecideWatcher(command, [](auto outcome) { ASSERT_TRUE(outcome.ok()); });
    executor.RunUntilIdle();
  }

  // Answers everything on its way with `code`, and what that sets off, until the gateway is silent.
  void Answer(int code = 200, std::optional<absl::Duration> retry_after = std::nullopt) {
    while (answered < gateway.sent.size()) {
      std::vector<NotifyReport> reports;
      for (; answered < gateway.sent.size(); ++answered) {
        reports.push_back(ReportOn(gateway.sent[answered], NotifyOutcome::kAnswered, code));
        reports.back().retry_after = retry_after;
      }
      engine->AddCredit(link, reports.size());
      engine->Report(std::move(reports));
      executor.RunUntilIdle();
    }
  }
  // Ends what is on its way without an answer.
  void Fail(NotifyOutcome outcome) {
    std::vector<NotifyReport> reports;
    for (; answered < gateway.sent.size(); ++answered) {
      reports.push_back(ReportOn(gateway.sent[answered], outcome, 0));
    }
    engine->Report(std::move(reports));
    executor.RunUntilIdle();
  }

  static NotifyReport ReportOn(const Instruction& instruction, NotifyOutcome outcome, int code) {
    NotifyReport report;
    report.subscription = instruction.subscription->id;
    report.cseq = instruction.cseq;
    report.epoch = instruction.epoch;
    report.outcome = outcome;
    report.code = code;
    return report;
  }

  // What has been sent since the last call, as "bob 1 active open": watcher, CSeq, state and body.
  std::vector<std::string> Sent() {
    std::vector<std::string> lines;
    for (; seen < gateway.sent.size(); ++seen) {
      const Instruction& i = gateway.sent[seen];
      static constexpr const char* kState[] = {"", "active", "pending", "terminated", "waiting"};
      static constexpr const char* kReason[] = {
          "",         ";deactivated", ";probation",  ";rejected",
          ";timeout", ";giveup",      ";noresource", ";invariant"};
      std::string line(i.subscription->watcher.user());
      line += " " + std::to_string(i.cseq) + " " + kState[static_cast<int>(i.state)] +
              kReason[static_cast<int>(i.reason)];
      if (!i.document.empty()) line += " " + std::string(i.document.body());
      lines.push_back(line);
    }
    return lines;
  }

  // The most rows that any hold of a lock has gone through.
  uint64_t MostRowsOfAHold() const {
    uint64_t most = 0;
    for (const LockHolds& holds : engine->counters().lock_holds) {
      most = std::max(most, holds.most_rows);
    }
    return most;
  }

  ManualClock clock;
  ManualExecutor executor{clock};
  SeededRandom random{7};
  EngineConfig config;
  std::unique_ptr<EventRegistry> registry;
  bool use_memory = false;
  MemoryJournal memory;
  ScriptedJournal journal{executor};
  uint64_t epoch = 0;
  size_t credit = 4096;
  RecordingLink gateway;
  RecordingCuts cuts;
  std::unique_ptr<Engine> engine;
  Engine::LinkId link = 0;
  int calls = 0;
  size_t answered = 0;
  size_t seen = 0;
};

}  // namespace presence

#endif  // PRESENCE_TESTS_UNIT_PRESENCE_CORE_ENGINE_ENGINE_FIXTURE_H_
