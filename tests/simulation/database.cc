#include "tests/simulation/database.h"

#include <utility>

namespace presence::simulation {
namespace {

using Fate = FakeRowStore::Fate;

constexpr absl::Duration kLongestAnswer = absl::Milliseconds(30);
constexpr absl::Duration kLongestStall = absl::Seconds(2);
// So much later than its lost answer a commit may be written.
constexpr absl::Duration kLatest = absl::Milliseconds(500);
// Whoever waits for a database that is well again tries within this.
constexpr absl::Duration kLongestTrouble = absl::Seconds(3);
constexpr absl::Duration kReadAgain = absl::Milliseconds(20);

}  // namespace

// ---- the database ----

Database::Database(Surroundings& surroundings)
    : around_(surroundings),
      rows_(surroundings.executor, /*shards=*/1 + static_cast<uint32_t>(around_.dice.Below(3)),
            /*lanes=*/1 + static_cast<uint32_t>(around_.dice.Below(2))) {
  rows_.refuses = [](const Publication& row) {
    return row.document.body().find(kRefusedText) != std::string::npos;
  };
}

uint64_t Database::TakeLease() {
  for (auto& [number, flight] : std::exchange(flights_, {})) {
    if (around_.plant != Plant::kEarlyCommit && around_.dice.Chance(50)) Write(flight);
  }
  in_trouble_.clear();
  RecordTrouble();
  return ++lease_;
}

// A takeover waits for commits that hold the lease, which those with a lost answer may do.
void Database::TakeOver() {
  for (auto it = flights_.begin(); it != flights_.end();) {
    if (!it->second.is_late) {
      ++it;
      continue;
    }
    if (around_.dice.Chance(50)) Write(it->second);
    it = flights_.erase(it);
  }
  around_.Record(TakenOver{++lease_});
}

void Database::GoAway() {
  is_away_ = true;
  ++outages_;
  RecordTrouble();
}

// Those who wait for it try again in a while.
void Database::ComeBack() {
  if (!std::exchange(is_away_, false)) return;
  for (uint32_t shard = 0; shard < shards(); ++shard) NoteTrouble(shard);
}

uint64_t Database::Begin(uint64_t epoch, uint32_t shard, std::vector<RowChanges> batch) {
  flights_[next_] = {epoch, shard, std::move(batch), outages_};
  if (around_.plant == Plant::kEarlyCommit) {
    around_.After(kLatest, [this, number = next_] { Land(number); });
  }
  return next_++;
}

CommitOutcome Database::End(uint64_t number) {
  if (around_.plant == Plant::kEarlyCommit) return {};
  const auto it = flights_.find(number);
  Flight flight = std::move(it->second);
  flights_.erase(it);
  if (flight.epoch != lease_) return rows_.CommitNow(flight.shard, flight.batch, Fate::kFenced);
  // The connection was lost on the way.
  if (flight.outages != outages_) return LoseAnswer(std::move(flight));
  if (is_away_ || around_.dice.Chance(around_.faults.commit_failed)) return Fail(flight);
  if (around_.dice.Chance(around_.faults.commit_unknown)) return LoseAnswer(std::move(flight));
  return Write(flight);
}

CommitOutcome Database::Fail(const Flight& flight) {
  NoteTrouble(flight.shard);
  return rows_.CommitNow(flight.shard, flight.batch, Fate::kFailed);
}

CommitOutcome Database::LoseAnswer(Flight flight) {
  const uint32_t shard = flight.shard;
  NoteTrouble(shard);
  flight.is_late = true;
  const uint64_t roll = around_.dice.Below(3);
  if (roll == 0) {
    Write(flight);
  } else if (roll == 1) {
    flights_[next_] = std::move(flight);
    around_.After(around_.UpTo(kLatest), [this, number = next_] { Land(number); });
    ++next_;
  }
  return rows_.CommitNow(shard, {}, Fate::kUnknownDropped);
}

void Database::Land(uint64_t number) {
  const auto it = flights_.find(number);
  if (it == flights_.end()) return;
  const Flight flight = std::move(it->second);
  flights_.erase(it);
  Write(flight);
}

CommitOutcome Database::Write(const Flight& flight) {
  for (const RowChanges& changes : flight.batch) {
    for (const auto& [id, row] : changes.publications) {
      if (row != nullptr && rows_.refuses(*row)) around_.Record(Refused{changes.key, id});
    }
  }
  CommitOutcome outcome = rows_.CommitNow(flight.shard, flight.batch, Fate::kCommitted);
  const bool is_written = outcome.result == CommitResult::kCommitted;
  for (const RowChanges& changes : flight.batch) {
    if (!is_written) break;
    if (IsWriteBack(around_.mode)) {
      around_.Record(Stored{changes});
    } else {
      around_.Record(Durable{changes});
    }
  }
  if (!is_written) {
    NoteTrouble(flight.shard);
  } else if (!flight.is_late) {
    EndTrouble(flight.shard);
  }
  return outcome;
}

bool Database::HasLateCommit(uint32_t shard) const {
  for (const auto& [number, flight] : flights_) {
    if (flight.is_late && flight.shard == shard) return true;
  }
  return false;
}

absl::StatusOr<std::optional<ResourceRows>> Database::Read(uint64_t epoch, const ResourceKey& key) {
  const uint32_t shard = rows_.ShardOf(key);
  if (epoch != lease_) return StorageUnavailable("fenced");
  if (is_away_ || around_.dice.Chance(around_.faults.load_fails)) {
    NoteTrouble(shard);
    return StorageUnavailable("no read now");
  }
  return rows_.rows().Find(key);
}

absl::Status Database::ReadAll(absl::FunctionRef<void(ResourceRows)> visit) {
  if (is_away_) return StorageUnavailable("the database is away");
  return rows_.ReadAll([&](ResourceRows rows) {
    // Its owner before may have shown more than was stored, and has crashed.
    if (IsWriteBack(around_.mode)) rows.resource.settled_seq.reset();
    visit(std::move(rows));
  });
}

void Database::NoteTrouble(uint32_t shard) {
  in_trouble_[shard] = ++troubles_;
  RecordTrouble();
  around_.After(kLongestTrouble, [this, shard, number = troubles_] {
    const auto it = in_trouble_.find(shard);
    if (it != in_trouble_.end() && it->second == number) EndTrouble(shard);
  });
}

void Database::EndTrouble(uint32_t shard) {
  in_trouble_.erase(shard);
  RecordTrouble();
}

void Database::RecordTrouble() {
  const bool is_in_trouble = is_away_ || !in_trouble_.empty();
  if (std::exchange(was_in_trouble_, is_in_trouble) == is_in_trouble) return;
  around_.Record(DatabaseTrouble{is_in_trouble});
}

// ---- a connection ----

DatabaseSession::DatabaseSession(Surroundings& surroundings, Executor& process, Database& database,
                                 std::function<void()> die)
    : around_(surroundings),
      process_(process),
      database_(database),
      die_(std::move(die)),
      epoch_(database.TakeLease()),
      lanes_(database.lanes()) {}

void DatabaseSession::Commit(uint32_t shard, const std::vector<RowChanges>& batch,
                             CommitDone done) {
  std::vector<RowChanges> sent = batch;
  if (around_.plant == Plant::kForgottenDeletion) {
    const auto is_deletion = [](const auto& row) { return row.second == nullptr; };
    for (RowChanges& changes : sent) {
      std::erase_if(changes.publications, is_deletion);
      std::erase_if(changes.subscriptions, is_deletion);
      std::erase_if(changes.documents, is_deletion);
    }
  }
  Ask(shard, [this, shard, sent = std::move(sent), done = std::move(done)]() mutable {
    CommitNow(shard, std::move(sent), std::move(done));
  });
}

void DatabaseSession::Read(const ResourceKey& key, ReadDone done) {
  Ask(ShardOf(key),
      [this, key, done = std::move(done)]() mutable { ReadNow(key, std::move(done)); });
}

void DatabaseSession::Ask(uint32_t shard, Task task) {
  Lane& lane = lanes_[LaneOf(shard)];
  lane.waiting.push_back(std::move(task));
  if (!lane.is_busy) GoOn(shard);
}

void DatabaseSession::GoOn(uint32_t shard) {
  Lane& lane = lanes_[LaneOf(shard)];
  lane.is_busy = !lane.waiting.empty();
  if (!lane.is_busy) return;
  Task task = std::move(lane.waiting.front());
  lane.waiting.pop_front();
  task();
}

absl::Duration DatabaseSession::DrawDuration(uint32_t shard) {
  if (!around_.dice.Chance(around_.faults.stalls)) return around_.UpTo(kLongestAnswer);
  database_.NoteTrouble(shard);
  return around_.UpTo(kLongestStall);
}

void DatabaseSession::CommitNow(uint32_t shard, std::vector<RowChanges> batch, CommitDone done) {
  const uint64_t number = database_.Begin(epoch_, shard, std::move(batch));
  if (around_.dice.Chance(around_.faults.core_dies_at_append)) return die_();
  process_.PostAt(around_.clock.Now() + DrawDuration(shard), [this, shard, number,
                                                              done = std::move(done)]() mutable {
    CommitOutcome outcome = database_.End(number);
    if (around_.plant == Plant::kUnknownIsFailure && outcome.result == CommitResult::kUnknown) {
      outcome.result = CommitResult::kFailed;
    }
    if (around_.dice.Chance(around_.faults.core_dies_at_completion)) return die_();
    GoOn(shard);
    done(std::move(outcome));
  });
}

void DatabaseSession::ReadNow(const ResourceKey& key, ReadDone done) {
  const uint32_t shard = ShardOf(key);
  const absl::Duration duration = database_.HasLateCommit(shard) ? kReadAgain : DrawDuration(shard);
  process_.PostAt(around_.clock.Now() + duration,
                  [this, key, shard, done = std::move(done)]() mutable {
                    if (database_.HasLateCommit(shard)) return ReadNow(key, std::move(done));
                    auto rows = database_.Read(epoch_, key);
                    GoOn(shard);
                    done(std::move(rows));
                  });
}

}  // namespace presence::simulation
