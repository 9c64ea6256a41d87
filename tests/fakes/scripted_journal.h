#ifndef PRESENCE_TESTS_FAKES_SCRIPTED_JOURNAL_H_
#define PRESENCE_TESTS_FAKES_SCRIPTED_JOURNAL_H_

#include <deque>
#include <functional>
#include <map>
#include <utility>

#include "presence-core/model/error.h"
#include "presence-core/storage/journal.h"
#include "runtime/executor.h"
#include "tests/fakes/stored_rows.h"

namespace presence {

// A journal whose rows outlive the engine that wrote them, and whose answers come when and how a
// test says: now, later, refused, or lost on the way. Not thread-safe; completions run on the
// executor.
class ScriptedJournal final : public Journal {
 public:
  enum class Fate {
    kDurableNow,      // durable, said at once
    kDurable,         // durable, said later
    kRejected,        // not durable, said so
    kUnknownWritten,  // durable, but the answer is lost
    kUnknownDropped,  // not durable, and the answer is lost
    kNeverAnswered,   // durable, and the process dies before it hears of it
  };

  explicit ScriptedJournal(Executor& executor) : executor_(executor) {}

  // What becomes of the next append; asked each time. Default: durable, said later.
  std::function<Fate()> fate = [] { return Fate::kDurable; };
  // Whether the next load fails.
  std::function<bool()> load_fails = [] { return false; };
  StateKinds kinds;
  // With false, completions wait for RunHeld().
  bool answers_by_itself = true;

  StateKinds kept() const override { return kinds; }
  Acceptance Append(const RowChanges& changes, AppendDone done) override {
    ++appends_;
    if (changes.raises_cseq_limit) ++raises_;
    const Fate fate_now = fate();
    if (fate_now != Fate::kRejected && fate_now != Fate::kUnknownDropped) rows_.Write(changes);
    if (fate_now == Fate::kDurableNow) return Acceptance::kDurableNow;
    if (fate_now == Fate::kNeverAnswered) return Acceptance::kPending;
    AppendOutcome outcome;
    if (fate_now == Fate::kRejected) {
      outcome = {AppendResult::kRejected, StorageUnavailable("refused by the test")};
    } else if (fate_now != Fate::kDurable) {
      outcome = {AppendResult::kUnknown, StorageUnavailable("answer lost by the test")};
    }
    Complete([done = std::move(done), outcome]() mutable { done(outcome); });
    return Acceptance::kPending;
  }

  void Load(const ResourceKey& key, LoadDone done) override {
    absl::StatusOr<std::optional<ResourceRows>> result = StorageUnavailable("no load now");
    if (!load_fails()) {
      result = rows_.Find(key);
    }
    Complete([done = std::move(done), result = std::move(result)]() mutable {
      done(std::move(result));
    });
  }

  absl::Status LoadAll(absl::FunctionRef<void(ResourceRows)> visit) override {
    rows_.VisitAll(visit);
    return absl::OkStatus();
  }

  void RunHeld() {
    std::deque<Task> held = std::exchange(held_, {});
    for (Task& task : held) task();
  }
  // The process died: completions it waited for reach nobody.
  void DropHeld() { held_.clear(); }

  size_t appends() const { return appends_; }
  // Appends that raise a cseq_limit.
  size_t raises() const { return raises_; }
  // What another program does to the rows.
  void WriteBehind(const RowChanges& changes) { rows_.Write(changes); }
  ResourceRows RowsOf(const ResourceKey& key) const { return rows_.Find(key).value(); }

 private:
  void Complete(Task task) {
    if (answers_by_itself) {
      executor_.Post(std::move(task));
    } else {
      held_.push_back(std::move(task));
    }
  }

  Executor& executor_;
  StoredRows rows_;
  std::deque<Task> held_;
  size_t appends_ = 0;
  size_t raises_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_TESTS_FAKES_SCRIPTED_JOURNAL_H_
