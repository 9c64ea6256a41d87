#ifndef PRESENCE_TESTS_SIMULATION_DATABASE_H_
#define PRESENCE_TESTS_SIMULATION_DATABASE_H_

#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "presence-core/storage/row_store.h"
#include "tests/fakes/fake_row_store.h"
#include "tests/simulation/surroundings.h"

namespace presence::simulation {

// A publication whose text ends so is one that the database refuses.
inline constexpr char kRefusedText[] = ".refused";

// A database and its lease, on a machine of its own: it outlives the core, fails, stalls, loses
// answers, refuses rows, is away for a while, and gets another owner. Nothing of the owner before
// is committed after TakeLease.
class Database {
 public:
  explicit Database(Surroundings& surroundings);

  // For the core's next life. What the life before had under way is in by now, or never will be.
  uint64_t TakeLease();
  // Another process becomes the owner.
  void TakeOver();
  uint64_t lease() const { return lease_; }

  void GoAway();
  void ComeBack();
  bool is_away() const { return is_away_; }

  // A commit of an owner goes from Begin to End; without End its owner has died meanwhile.
  uint64_t Begin(uint64_t epoch, uint32_t shard, std::vector<RowChanges> batch);
  CommitOutcome End(uint64_t number);
  // Whether a commit of this shard, whose owner has had an answer, may still be written.
  bool HasLateCommit(uint32_t shard) const;
  absl::StatusOr<std::optional<ResourceRows>> Read(uint64_t epoch, const ResourceKey& key);
  absl::Status ReadAll(absl::FunctionRef<void(ResourceRows)> visit);

  // Until the next commit, or a read that says how one has ended; for seconds at most.
  void NoteTrouble(uint32_t shard);

  uint32_t shards() const { return rows_.shards(); }
  uint32_t lanes() const { return rows_.lanes(); }

 private:
  struct Flight {
    uint64_t epoch = 0;
    uint32_t shard = 0;
    std::vector<RowChanges> batch;
    uint64_t outages = 0;  // before it
    bool is_late = false;  // its owner has had an answer
  };

  CommitOutcome Fail(const Flight& flight);
  CommitOutcome LoseAnswer(Flight flight);
  CommitOutcome Write(const Flight& flight);
  void Land(uint64_t number);
  void EndTrouble(uint32_t shard);
  void RecordTrouble();

  Surroundings& around_;
  FakeRowStore rows_;
  uint64_t lease_ = 0;
  bool is_away_ = false;
  uint64_t outages_ = 0;
  uint64_t next_ = 1;
  std::map<uint64_t, Flight> flights_;
  std::map<uint32_t, uint64_t> in_trouble_;  // shards; the second is the number of the trouble
  uint64_t troubles_ = 0;
  bool was_in_trouble_ = false;
};

// The connections of one life of the core. Answers come to its process.
class DatabaseSession final : public RowStore {
 public:
  // `die` ends the process.
  DatabaseSession(Surroundings& surroundings, Executor& process, Database& database,
                  std::function<void()> die);

  uint64_t epoch() const { return epoch_; }

  uint32_t shards() const override { return database_.shards(); }
  uint32_t lanes() const override { return database_.lanes(); }
  void Commit(uint32_t shard, const std::vector<RowChanges>& batch, CommitDone done) override;
  void Read(const ResourceKey& key, ReadDone done) override;
  void Look(const ResourceKey& key, uint64_t /*known*/, ReadDone done) override {
    Read(key, std::move(done));
  }
  void Find(const LocalTag& /*tag*/, FindDone done) override {
    process_.Post([done = std::move(done)]() mutable { done(std::nullopt); });
  }
  absl::Status ReadAll(absl::FunctionRef<void(ResourceRows)> visit) override {
    return database_.ReadAll(visit);
  }

 private:
  struct Lane {
    std::deque<Task> waiting;
    bool is_busy = false;
  };

  void Ask(uint32_t shard, Task task);
  void GoOn(uint32_t shard);
  void CommitNow(uint32_t shard, std::vector<RowChanges> batch, CommitDone done);
  void ReadNow(const ResourceKey& key, ReadDone done);
  absl::Duration DrawDuration(uint32_t shard);

  Surroundings& around_;
  Executor& process_;
  Database& database_;
  const std::function<void()> die_;
  const uint64_t epoch_;
  std::vector<Lane> lanes_;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_DATABASE_H_
