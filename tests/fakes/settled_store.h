#ifndef PRESENCE_TESTS_FAKES_SETTLED_STORE_H_
#define PRESENCE_TESTS_FAKES_SETTLED_STORE_H_

#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "presence-core/storage/row_store.h"
#include "runtime/executor.h"

namespace presence {

// A store with threads for tests without: what it answers waits until the test's thread calls
// Settle(). So a suite that says "not yet" and "now" holds for it, too.
class SettledStore final : public RowStore {
 public:
  explicit SettledStore(RowStore& store) : store_(store) {}

  uint32_t shards() const override { return store_.shards(); }
  uint32_t lanes() const override { return store_.lanes(); }
  void Commit(uint32_t shard, const std::vector<RowChanges>& batch, CommitDone done) override {
    Begin();
    store_.Commit(shard, batch, [this, done = std::move(done)](CommitOutcome outcome) mutable {
      End([done = std::move(done), outcome = std::move(outcome)]() mutable {
        done(std::move(outcome));
      });
    });
  }
  void Read(const ResourceKey& key, ReadDone done) override {
    Begin();
    store_.Read(key, [this, done = std::move(done)](auto rows) mutable {
      End([done = std::move(done), rows = std::move(rows)]() mutable { done(std::move(rows)); });
    });
  }
  void Look(const ResourceKey& key, uint64_t known, ReadDone done) override {
    Begin();
    store_.Look(key, known, [this, done = std::move(done)](auto rows) mutable {
      End([done = std::move(done), rows = std::move(rows)]() mutable { done(std::move(rows)); });
    });
  }
  void Find(const LocalTag& tag, FindDone done) override {
    Begin();
    store_.Find(tag, [this, done = std::move(done)](auto key) mutable {
      End([done = std::move(done), key = std::move(key)]() mutable { done(std::move(key)); });
    });
  }
  absl::Status ReadAll(absl::FunctionRef<void(ResourceRows)> visit) override {
    return store_.ReadAll(visit);
  }

  // Runs every answer, and those to what they ask for, on this thread; returns when none is to
  // come.
  void Settle() {
    while (true) {
      Task task;
      {
        absl::MutexLock lock(&mu_);
        if (outstanding_ == 0) return;
        mu_.Await(absl::Condition(this, &SettledStore::HasAnswer));
        task = std::move(answers_.front());
        answers_.pop_front();
      }
      task();
      absl::MutexLock lock(&mu_);
      --outstanding_;
    }
  }

 private:
  bool HasAnswer() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return !answers_.empty(); }
  void Begin() {
    absl::MutexLock lock(&mu_);
    ++outstanding_;
  }
  void End(Task task) {
    absl::MutexLock lock(&mu_);
    answers_.push_back(std::move(task));
  }

  RowStore& store_;
  absl::Mutex mu_;
  std::deque<Task> answers_ ABSL_GUARDED_BY(mu_);
  int outstanding_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace presence

#endif  // PRESENCE_TESTS_FAKES_SETTLED_STORE_H_
