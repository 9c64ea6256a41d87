// The engine as the server runs it: callers on several threads, and workers that tell the watchers.
// Written for ThreadSanitizer; in every build it shows that nothing is lost between threads.
#include <map>
#include <set>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "runtime/worker.h"
#include "tests/unit/presence-core/engine/engine_fixture.h"

namespace presence {
namespace {

constexpr int kPresentities = 3;
constexpr int kWatchers = 4;  // of each presentity
constexpr int kPublishers = 4;
constexpr int kRounds = 100;

// A gateway that answers every NOTIFY with 200, on a thread of its own.
class AnsweringLink final : public WatcherLink {
 public:
  explicit AnsweringLink(const Clock& clock)
      : worker_(std::make_unique<Worker>(clock, "gateway")) {}

  void Serve(Engine& engine) {
    engine_ = &engine;
    id_ = engine.AttachLink({"gw", "gw"}, *this, /*credit=*/8);
  }

  // Nothing arrives any more and nothing is answered.
  void Stop() {
    engine_->DetachLink(id_);
    worker_.reset();
  }

  void Deliver(std::vector<Instruction> instructions) override {
    for (const Instruction& instruction : instructions) NoteSent(instruction);
    worker_->Post([this, taken = std::move(instructions)] { Answer(taken); });
  }

  // Until every dialog in `expected` was told that revision.
  bool WaitFor(const std::map<std::string, Revision>& expected) {
    const auto is_told = [&] {
      mu_.AssertReaderHeld();
      return told_ == expected;
    };
    absl::MutexLock lock(&mu_);
    return mu_.AwaitWithTimeout(absl::Condition(&is_told), absl::Minutes(1));
  }

  // NOTIFYs before the last one's answer, CSeqs that do not follow the last one's, revisions that
  // fell.
  std::vector<std::string> Faults() const {
    absl::MutexLock lock(&mu_);
    return faults_;
  }

 private:
  void Answer(const std::vector<Instruction>& instructions) {
    std::vector<NotifyReport> reports;
    for (const Instruction& instruction : instructions) {
      NotifyReport& report = reports.emplace_back();
      report.subscription = instruction.subscription->id;
      report.cseq = instruction.cseq;
      report.epoch = instruction.epoch;
      report.code = 200;
      NoteAnswered(instruction);
    }
    engine_->AddCredit(id_, reports.size());
    engine_->Report(std::move(reports));
  }

  void NoteSent(const Instruction& instruction) {
    const std::string dialog(instruction.subscription->dialog.call_id());
    absl::MutexLock lock(&mu_);
    if (!unanswered_.insert(dialog).second) faults_.push_back(dialog + " unanswered");
    uint32_t& cseq = cseqs_[dialog];
    if (cseq != 0 && instruction.cseq != cseq + 1) faults_.push_back(dialog + " CSeq");
    cseq = instruction.cseq;
  }

  void NoteAnswered(const Instruction& instruction) {
    const std::string dialog(instruction.subscription->dialog.call_id());
    absl::MutexLock lock(&mu_);
    unanswered_.erase(dialog);
    Revision& revision = told_[dialog];
    if (instruction.revision < revision) faults_.push_back(dialog + " revision");
    revision = instruction.revision;
  }

  // Constant once serving.
  Engine* engine_ = nullptr;
  Engine::LinkId id_ = 0;
  mutable absl::Mutex mu_;  // a leaf
  std::set<std::string> unanswered_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, uint32_t> cseqs_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, Revision> told_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> faults_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<Worker> worker_;  // last: its tasks use all of the above
};

// Replaces the standing fixture's single thread; of that only the builders are used.
class EngineThreadsTest : public EngineTest {
 protected:
  void SetUp() override {
    for (int i = 0; i < 2; ++i) notifiers_.push_back(std::make_unique<Worker>(clock_, "notifier"));
    threaded_ = std::make_unique<Engine>(
        config, *registry, std::make_shared<PolicySnapshot>(PolicySnapshot::Defaults{}), memory,
        *worker_, clock_, random_, /*epoch=*/1,
        std::vector<Executor*>{notifiers_[0].get(), notifiers_[1].get()});
    ASSERT_TRUE(threaded_->Start().ok());
    gateway_.Serve(*threaded_);
  }
  void TearDown() override {
    gateway_.Stop();
    worker_.reset();
    notifiers_.clear();
  }

  static std::string User(int presentity) { return "user" + std::to_string(presentity); }

  void SubscribeAll() {
    for (int presentity = 0; presentity < kPresentities; ++presentity) {
      for (int watcher = 0; watcher < kWatchers; ++watcher) {
        SubscribeCommand command =
            Subscription(User(presentity), "watcher" + std::to_string(watcher));
        dialogs_[command.dialog.call_id] = Key(User(presentity));
        threaded_->Subscribe(std::move(command), [](auto outcome) { ASSERT_TRUE(outcome.ok()); });
      }
    }
  }

  // What one device does: publishes for each presentity in turn, and modifies.
  void PublishAndModify(int device) {
    std::map<int, Etag> etags;
    for (int round = 0; round < kRounds; ++round) {
      const int presentity = round % kPresentities;
      PublishCommand command = Publication(
          User(presentity), std::to_string(device) + " in round " + std::to_string(round));
      command.etag = etags[presentity];
      threaded_->Publish(std::move(command), [&](auto outcome) {
        ASSERT_TRUE(outcome.ok()) << outcome.status();
        etags[presentity] = outcome->etag;
      });
    }
  }

  // What an administrator and a passing watcher do meanwhile.
  void ReadAndPassBy() {
    for (int round = 0; round < kRounds; ++round) {
      const std::string user = User(round % kPresentities);
      EXPECT_TRUE(threaded_->GetState({Key(user), Event("presence"), {}, {}, {}}).ok());
      EXPECT_GE(threaded_->CountSubscribers(Key(user)), uint32_t{kWatchers});
      EXPECT_GE(threaded_->counters().subscriptions_now, uint64_t{kPresentities * kWatchers});
      WatchCommand watch;
      watch.presentity = Presentity(user);
      watch.event = Event("presence");
      watch.watcher = Watcher("passer-by");
      watch.link = "nobody";
      threaded_->Watch(std::move(watch), [&](auto outcome) {
        ASSERT_TRUE(outcome.ok()) << outcome.status();
        threaded_->ForgetWatch(outcome->id);
      });
      threaded_->Reauthorize(Key(user), [](auto outcome) { EXPECT_TRUE(outcome.ok()); });
    }
  }

  std::map<std::string, Revision> PresentRevisions() const {
    std::map<std::string, Revision> revisions;
    for (const auto& [dialog, key] : dialogs_) {
      revisions[dialog] = threaded_->GetState({key, Event("presence"), {}, {}, {}})->revision;
    }
    return revisions;
  }

  const SystemClock clock_;
  SecureRandom random_;
  std::map<std::string, ResourceKey> dialogs_;
  std::unique_ptr<Worker> worker_ = std::make_unique<Worker>(clock_, "core");
  std::vector<std::unique_ptr<Worker>> notifiers_;
  AnsweringLink gateway_{clock_};
  std::unique_ptr<Engine> threaded_;
};

// N01, N06
TEST_F(EngineThreadsTest, TellsEveryWatcherTheLastStateInOrderWhateverRunsAtOnce) {
  SubscribeAll();

  std::vector<std::thread> threads;
  for (int device = 0; device < kPublishers; ++device) {
    threads.emplace_back([this, device] { PublishAndModify(device); });
  }
  threads.emplace_back([this] { ReadAndPassBy(); });
  for (std::thread& thread : threads) thread.join();

  EXPECT_TRUE(gateway_.WaitFor(PresentRevisions()));
  EXPECT_THAT(gateway_.Faults(), testing::IsEmpty());
  EXPECT_EQ(threaded_->counters().publishes, uint64_t{kPublishers * kRounds});
}

}  // namespace
}  // namespace presence
