#ifndef PRESENCE_TESTS_FAKES_FAKE_ROW_STORE_H_
#define PRESENCE_TESTS_FAKES_FAKE_ROW_STORE_H_

#include <functional>
#include <utility>
#include <vector>

#include "presence-core/model/error.h"
#include "presence-core/storage/row_store.h"
#include "runtime/executor.h"
#include "tests/fakes/stored_rows.h"

namespace presence {

// A database without a database: keeps what is committed and fails when a test says so. Not
// thread-safe; answers come on the executor, those of a lane in order.
class FakeRowStore final : public RowStore {
 public:
  enum class Fate {
    kCommitted,
    kFailed,          // not committed, said so
    kUnknownWritten,  // committed, but the answer is lost
    kUnknownDropped,  // not committed, and the answer is lost
    kFenced,
  };
  // The body of a publication that this database refuses, as a real one refuses a row that is too
  // long.
  static constexpr char kBadBody[] = "refused by the database";

  explicit FakeRowStore(Executor& executor, uint32_t shards = 4, uint32_t lanes = 2)
      : executor_(executor), shards_(shards), lanes_(lanes) {}

  // What becomes of the next commit; asked when it is under way.
  std::function<Fate()> fate = [] { return Fate::kCommitted; };
  std::function<bool()> read_fails = [] { return false; };
  // Whether it refuses this row, and with it the batch.
  std::function<bool(const Publication&)> refuses = [](const Publication& row) {
    return row.document.body() == kBadBody;
  };

  uint32_t shards() const override { return shards_; }
  uint32_t lanes() const override { return lanes_; }

  void Commit(uint32_t shard, const std::vector<RowChanges>& batch, CommitDone done) override {
    executor_.Post([this, shard, &batch, done = std::move(done)]() mutable {
      batch_sizes_.push_back(batch.size());
      done(CommitNow(shard, batch, fate()));
    });
  }

  void Read(const ResourceKey& key, ReadDone done) override {
    executor_.Post([this, key, done = std::move(done)]() mutable {
      if (read_fails()) return done(StorageUnavailable("no read now"));
      done(rows_.Find(key));
    });
  }

  void Look(const ResourceKey& key, uint64_t /*known*/, ReadDone done) override {
    Read(key, std::move(done));
  }

  void Find(const LocalTag& tag, FindDone done) override {
    executor_.Post([this, tag, done = std::move(done)]() mutable {
      if (read_fails()) return done(StorageUnavailable("no read now"));
      done(rows_.Find(tag));
    });
  }

  absl::Status ReadAll(absl::FunctionRef<void(ResourceRows)> visit) override {
    rows_.VisitAll(visit);
    return absl::OkStatus();
  }

  // What Commit does when its turn has come.
  CommitOutcome CommitNow(uint32_t shard, const std::vector<RowChanges>& batch, Fate fate_now) {
    if (fate_now == Fate::kFailed) {
      return {CommitResult::kFailed, StorageUnavailable("the database is away")};
    }
    if (fate_now == Fate::kFenced) return {CommitResult::kFenced, StorageUnavailable("fenced")};
    for (const RowChanges& changes : batch) {
      if (ShardOf(changes.key) != shard) {
        return {CommitResult::kFailed, Internal("a batch that mixes shards")};
      }
      for (const auto& [id, row] : changes.publications) {
        if (row != nullptr && refuses(*row)) {
          return {CommitResult::kBadRow, Internal("a row is too long")};
        }
      }
    }
    CommitOutcome outcome;
    for (size_t i = 0; i < batch.size() && fate_now != Fate::kUnknownDropped; ++i) {
      if (rows_.HasMoved(batch[i])) {
        outcome.moved.push_back(i);
      } else {
        rows_.Write(batch[i]);
      }
    }
    if (fate_now == Fate::kCommitted) return outcome;
    return {CommitResult::kUnknown, StorageUnavailable("the answer is lost")};
  }

  const StoredRows& rows() const { return rows_; }
  // Of every commit so far.
  const std::vector<size_t>& batch_sizes() const { return batch_sizes_; }

 private:
  Executor& executor_;
  const uint32_t shards_;
  const uint32_t lanes_;
  StoredRows rows_;
  std::vector<size_t> batch_sizes_;
};

}  // namespace presence

#endif  // PRESENCE_TESTS_FAKES_FAKE_ROW_STORE_H_
