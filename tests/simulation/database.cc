#include "tests/simulation/database.h"

#include <algorithm>
#include <cstddef>
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

uint64_t Database::ShareLease() {
  lease_ = std::max<uint64_t>(lease_, 1);
  return lease_;
}

void Database::Abandon(const std::string& core) {
  for (auto it = flights_.begin(); it != flights_.end();) {
    Flight& flight = it->second;
    const bool is_his = flight.core == core && !flight.is_late;
    if (is_his && around_.dice.Chance(50)) {
      it = flights_.erase(it);
      continue;
    }
    if (is_his) {
      flight.is_late = true;
      around_.After(around_.UpTo(kLatest), [this, number = it->first] { Land(number); });
    }
    ++it;
  }
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

void Database::CutOff(const std::string& core) {
  cut_off_.insert(core);
  ++cuts_[core];
}

uint64_t Database::Begin(const std::string& core, uint64_t epoch, uint32_t shard,
                         std::vector<RowChanges> batch) {
  flights_[next_] = {core, epoch, shard, std::move(batch), LossesOf(core)};
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
  if (flight.losses != LossesOf(flight.core)) return LoseAnswer(std::move(flight));
  if (IsAway(flight.core) || around_.dice.Chance(around_.faults.commit_failed)) return Fail(flight);
  if (around_.dice.Chance(around_.faults.commit_unknown)) return LoseAnswer(std::move(flight));
  return Write(std::move(flight));
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
  Flight flight = std::move(it->second);
  flights_.erase(it);
  Write(std::move(flight));
}

void Database::ForgetClaims(std::vector<RowChanges>& batch) const {
  for (RowChanges& changes : batch) {
    // Not of dialogs, nor so that a number is given twice: two under one would stop the process.
    if (!changes.is_claim || !changes.subscriptions.empty()) continue;
    changes.is_claim = false;
    const auto stored = rows_.rows().Find(changes.key);
    if (!stored.has_value()) continue;
    ResourceRow& row = *changes.resource;
    row.next_ordinal = std::max(row.next_ordinal, stored->resource.next_ordinal);
    row.version = stored->resource.version + 1;
  }
}

CommitOutcome Database::Write(Flight flight) {
  if (around_.plant == Plant::kLateClaim) ForgetClaims(flight.batch);
  for (const RowChanges& changes : flight.batch) {
    for (const auto& [id, row] : changes.publications) {
      if (row != nullptr && rows_.refuses(*row)) around_.Record(Refused{changes.key, id});
    }
  }
  CommitOutcome outcome = rows_.CommitNow(flight.shard, flight.batch, Fate::kCommitted);
  const bool is_written = outcome.result == CommitResult::kCommitted;
  auto moved = outcome.moved.begin();
  for (size_t i = 0; is_written && i < flight.batch.size(); ++i) {
    if (moved != outcome.moved.end() && *moved == i) {
      ++moved;
    } else if (IsWriteBack(around_.mode)) {
      around_.Record(Stored{flight.batch[i]});
    } else {
      around_.Record(Durable{flight.batch[i], flight.core});
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

absl::StatusOr<std::optional<ResourceRows>> Database::Look(const std::string& core,
                                                           const ResourceKey& key, uint64_t known) {
  if (IsAway(core) || around_.dice.Chance(around_.faults.look_fails)) {
    return StorageUnavailable("no look now");
  }
  std::optional<ResourceRows> rows = rows_.rows().Find(key);
  if (!rows.has_value() || rows->resource.version != known) return rows;
  ResourceRows unchanged;
  unchanged.key = key;
  unchanged.resource = rows->resource;
  return unchanged;
}

absl::StatusOr<std::optional<ResourceKey>> Database::Find(const std::string& core,
                                                          const LocalTag& tag) {
  if (IsAway(core) || around_.dice.Chance(around_.faults.look_fails)) {
    return StorageUnavailable("nothing is found now");
  }
  return rows_.rows().Find(tag);
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
                                 std::string core, std::function<void()> die, OnClaimed on_claimed)
    : around_(surroundings),
      process_(process),
      database_(database),
      core_(std::move(core)),
      die_(std::move(die)),
      on_claimed_(std::move(on_claimed)),
      epoch_(IsShared(surroundings.mode) ? database.ShareLease() : database.TakeLease()),
      lanes_(database.lanes()) {}

DatabaseSession::~DatabaseSession() {
  if (IsShared(around_.mode)) database_.Abandon(core_);
}

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
  const uint64_t number = database_.Begin(core_, epoch_, shard, batch);
  if (around_.dice.Chance(around_.faults.core_dies_at_append)) return die_();
  process_.PostAt(
      around_.clock.Now() + DrawDuration(shard),
      [this, shard, number, batch = std::move(batch), done = std::move(done)]() mutable {
        CommitOutcome outcome = database_.End(number);
        if (around_.plant == Plant::kUnknownIsFailure && outcome.result == CommitResult::kUnknown) {
          outcome.result = CommitResult::kFailed;
        }
        if (around_.dice.Chance(around_.faults.core_dies_at_completion)) return die_();
        Report(batch, outcome);
        GoOn(shard);
        done(std::move(outcome));
      });
}

// As PostgresStore: what was claimed, or may have been.
void DatabaseSession::Report(const std::vector<RowChanges>& batch, const CommitOutcome& outcome) {
  const bool may_be_there =
      outcome.result == CommitResult::kCommitted || outcome.result == CommitResult::kUnknown;
  if (!may_be_there || on_claimed_ == nullptr) return;
  std::vector<ResourceKey> claimed;
  for (const RowChanges& changes : batch) claimed.push_back(changes.key);
  for (auto it = outcome.moved.rbegin(); it != outcome.moved.rend(); ++it) {
    claimed.erase(claimed.begin() + static_cast<std::ptrdiff_t>(*it));
  }
  if (!claimed.empty()) on_claimed_(claimed);
}

// `query` returns what gives the answer.
template <typename Query>
void DatabaseSession::AnswerSoon(uint32_t shard, Query query) {
  process_.PostAt(around_.clock.Now() + DrawDuration(shard),
                  [this, shard, query = std::move(query)]() mutable {
                    auto answer = query();
                    GoOn(shard);
                    answer();
                  });
}

void DatabaseSession::Look(const ResourceKey& key, uint64_t known, ReadDone done) {
  Ask(ShardOf(key), [this, key, known, done = std::move(done)]() mutable {
    AnswerSoon(ShardOf(key), [this, key, known, done = std::move(done)]() mutable {
      return [rows = database_.Look(core_, key, known), done = std::move(done)]() mutable {
        done(std::move(rows));
      };
    });
  });
}

void DatabaseSession::Find(const LocalTag& tag, FindDone done) {
  Ask(ShardOf(tag), [this, tag, done = std::move(done)]() mutable {
    AnswerSoon(ShardOf(tag), [this, tag, done = std::move(done)]() mutable {
      return [key = database_.Find(core_, tag), done = std::move(done)]() mutable {
        done(std::move(key));
      };
    });
  });
}

bool DatabaseSession::BeginReadAll() {
  if (database_.IsAway(core_)) return false;
  read_ = database_.rows();
  return true;
}

absl::Status DatabaseSession::ReadAll(absl::FunctionRef<void(ResourceRows)> visit) {
  if (!read_.has_value()) return database_.ReadAll(visit);
  std::exchange(read_, std::nullopt)->VisitAll(visit);
  return absl::OkStatus();
}

void DatabaseSession::ReadNow(const ResourceKey& key, ReadDone done) {
  const uint32_t shard = ShardOf(key);
  const absl::Duration duration = database_.HasLateCommit(shard) ? kReadAgain : DrawDuration(shard);
  process_.PostAt(around_.clock.Now() + duration,
                  [this, key, shard, done = std::move(done)]() mutable {
                    if (database_.HasLateCommit(shard)) return ReadNow(key, std::move(done));
                    auto rows = database_.Read(epoch_, key);
                    if (on_claimed_ != nullptr && rows.ok()) on_claimed_({key});
                    GoOn(shard);
                    done(std::move(rows));
                  });
}

}  // namespace presence::simulation
