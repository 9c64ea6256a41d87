#ifndef PRESENCE_TESTS_SIMULATION_DATABASE_H_
#define PRESENCE_TESTS_SIMULATION_DATABASE_H_

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
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
  // The same where several cores share the lease: its epoch stays.
  uint64_t ShareLease();
  // Of these one has died: what it had under way comes in any moment, or never.
  void Abandon(const std::string& core);
  // Another process becomes the owner.
  void TakeOver();
  uint64_t lease() const { return lease_; }

  void GoAway();
  void ComeBack();
  bool is_away() const { return is_away_; }
  // The same for one core.
  void CutOff(const std::string& core);
  void Reconnect(const std::string& core) { cut_off_.erase(core); }
  bool IsAway(const std::string& core) const { return is_away_ || cut_off_.contains(core); }

  // A commit of an owner goes from Begin to End; without End its owner has died meanwhile.
  uint64_t Begin(const std::string& core, uint64_t epoch, uint32_t shard,
                 std::vector<RowChanges> batch);
  CommitOutcome End(uint64_t number);
  // Whether a commit of this shard, whose owner has had an answer, may still be written.
  bool HasLateCommit(uint32_t shard) const;
  absl::StatusOr<std::optional<ResourceRows>> Read(uint64_t epoch, const ResourceKey& key);
  // What is there now, whoever may be about to change it.
  absl::StatusOr<std::optional<ResourceRows>> Look(const std::string& core, const ResourceKey& key,
                                                   uint64_t known);
  absl::StatusOr<std::optional<ResourceKey>> Find(const std::string& core, const LocalTag& tag);
  absl::Status ReadAll(absl::FunctionRef<void(ResourceRows)> visit);
  const StoredRows& rows() const { return rows_.rows(); }

  // Until the next commit, or a read that says how one has ended; for seconds at most.
  void NoteTrouble(uint32_t shard);

  uint32_t shards() const { return rows_.shards(); }
  uint32_t lanes() const { return rows_.lanes(); }

 private:
  struct Flight {
    std::string core;
    uint64_t epoch = 0;
    uint32_t shard = 0;
    std::vector<RowChanges> batch;
    uint64_t losses = 0;   // of connections, before it
    bool is_late = false;  // its owner has had an answer
  };

  CommitOutcome Fail(const Flight& flight);
  CommitOutcome LoseAnswer(Flight flight);
  CommitOutcome Write(Flight flight);
  // Plant::kLateClaim.
  void ForgetClaims(std::vector<RowChanges>& batch) const;
  void Land(uint64_t number);
  uint64_t LossesOf(const std::string& core) { return outages_ + cuts_[core]; }
  void EndTrouble(uint32_t shard);
  void RecordTrouble();

  Surroundings& around_;
  FakeRowStore rows_;
  uint64_t lease_ = 0;
  bool is_away_ = false;
  uint64_t outages_ = 0;
  std::set<std::string> cut_off_;         // cores
  std::map<std::string, uint64_t> cuts_;  // so often, by core
  uint64_t next_ = 1;
  std::map<uint64_t, Flight> flights_;
  std::map<uint32_t, uint64_t> in_trouble_;  // shards; the second is the number of the trouble
  uint64_t troubles_ = 0;
  bool was_in_trouble_ = false;
};

// The connections of one life of the core. Answers come to its process.
class DatabaseSession final : public RowStore {
 public:
  // `die` ends the process `core`; `on_claimed` as that of PostgresStore.
  using OnClaimed = std::function<void(const std::vector<ResourceKey>&)>;
  DatabaseSession(Surroundings& surroundings, Executor& process, Database& database,
                  std::string core, std::function<void()> die, OnClaimed on_claimed);
  ~DatabaseSession() override;

  uint64_t epoch() const { return epoch_; }

  uint32_t shards() const override { return database_.shards(); }
  uint32_t lanes() const override { return database_.lanes(); }
  void Commit(uint32_t shard, const std::vector<RowChanges>& batch, CommitDone done) override;
  void Read(const ResourceKey& key, ReadDone done) override;
  void Look(const ResourceKey& key, uint64_t known, ReadDone done) override;
  void Find(const LocalTag& tag, FindDone done) override;
  absl::Status ReadAll(absl::FunctionRef<void(ResourceRows)> visit) override;

  // ReadAll takes time: what it gives next was read now. False when the database is away.
  bool BeginReadAll();

 private:
  struct Lane {
    std::deque<Task> waiting;
    bool is_busy = false;
  };

  void Ask(uint32_t shard, Task task);
  void GoOn(uint32_t shard);
  void CommitNow(uint32_t shard, std::vector<RowChanges> batch, CommitDone done);
  void Report(const std::vector<RowChanges>& batch, const CommitOutcome& outcome);
  void ReadNow(const ResourceKey& key, ReadDone done);
  template <typename Query>
  void AnswerSoon(uint32_t shard, Query query);
  absl::Duration DrawDuration(uint32_t shard);

  Surroundings& around_;
  Executor& process_;
  Database& database_;
  const std::string core_;
  const std::function<void()> die_;
  const OnClaimed on_claimed_;
  const uint64_t epoch_;
  std::optional<StoredRows> read_;
  std::vector<Lane> lanes_;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_DATABASE_H_
