#include "presence-core/storage/postgres/postgres_store.h"

#include <algorithm>
#include <optional>
#include <pqxx/pqxx>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "presence-core/model/error.h"
#include "presence-core/storage/postgres/columns.h"
#include "presence-core/storage/postgres/connection.h"
#include "presence-core/storage/postgres/row_reader.h"
#include "presence-core/storage/postgres/statements.h"
#include "runtime/worker.h"

namespace presence {
namespace {

// A database that is down is not asked more often than this.
constexpr absl::Duration kReconnectInterval = absl::Milliseconds(200);

// A fetch at the start may take so many times as long as another statement.
constexpr int kFetchFactor = 5;

void Execute(pqxx::transaction_base& transaction, const Statement& statement, uint32_t shard,
             const std::vector<std::string>& arrays) {
  if (arrays.empty()) return;
  transaction.exec_prepared0(statement.name, shard, pqxx::prepare::make_dynamic_params(arrays));
}

// Writes the resources that are claimed. Returns where in the batch those stand that have moved, in
// order.
std::vector<size_t> Claim(pqxx::transaction_base& transaction, uint32_t shard,
                          const std::vector<RowChanges>& batch, Columns& columns) {
  const std::vector<std::string> arrays = columns.TakeClaims();
  if (arrays.empty()) return {};
  const pqxx::result claimed = transaction.exec_prepared(
      ClaimStatement().name, shard, pqxx::prepare::make_dynamic_params(arrays));
  absl::flat_hash_set<std::pair<std::string, std::string>> ours;
  for (const pqxx::row& row : claimed) ours.emplace(row[0].c_str(), row[1].c_str());
  std::vector<size_t> moved;
  for (size_t i = 0; i < batch.size(); ++i) {
    const ResourceKey& key = batch[i].key;
    if (!batch[i].is_claim || ours.contains({key.presentity.text(), key.event.text()})) continue;
    moved.push_back(i);
  }
  return moved;
}

// What is left to write when the resources have been claimed.
std::vector<RowChanges> Without(const std::vector<size_t>& moved,
                                const std::vector<RowChanges>& batch) {
  std::vector<RowChanges> rest;
  auto next = moved.begin();
  for (size_t i = 0; i < batch.size(); ++i) {
    if (next != moved.end() && *next == i) {
      ++next;
    } else {
      rest.push_back(batch[i]);
    }
  }
  return rest;
}

bool Fenced(pqxx::transaction_base& transaction, const char* fence, uint32_t shard,
            uint64_t epoch) {
  return transaction.exec_prepared(fence, shard, epoch).empty();
}

}  // namespace

// One connection and its thread. All members but the worker are used on the thread only.
class PostgresStore::Lane {
 public:
  Lane(const DatabaseOptions& options, const Clock& clock, const LeaseKeeper::Lease& lease,
       StallGuard& guard, const OnClaimed& on_claimed)
      : options_(options),
        clock_(clock),
        lease_(lease),
        guard_(guard),
        on_claimed_(on_claimed),
        worker_(clock, "storage") {}

  void Commit(uint32_t shard, const std::vector<RowChanges>& batch, CommitDone done) {
    worker_.Post([this, shard, &batch, done = std::move(done)]() mutable {
      CommitOutcome outcome = CommitNow(shard, batch);
      // Before `done`: `batch` may go with it.
      if (on_claimed_) Report(batch, outcome);
      done(std::move(outcome));
    });
  }

  void Read(uint32_t shard, const ResourceKey& key, ReadDone done) {
    worker_.Post([this, shard, key, done = std::move(done)]() mutable {
      auto rows = ReadNow(shard, key);
      // Of a commit whose answer was lost others may have heard before they could see it.
      if (rows.ok() && on_claimed_) on_claimed_({key});
      done(std::move(rows));
    });
  }

  void Look(uint32_t shard, const ResourceKey& key, uint64_t known, ReadDone done) {
    worker_.Post([this, shard, key, known, done = std::move(done)]() mutable {
      done(LookNow(shard, key, known));
    });
  }

  void Find(uint32_t shard, const LocalTag& tag, FindDone done) {
    worker_.Post(
        [this, shard, tag, done = std::move(done)]() mutable { done(FindNow(shard, tag)); });
  }

 private:
  void Report(const std::vector<RowChanges>& batch, const CommitOutcome& outcome) {
    const bool may_be_there =
        outcome.result == CommitResult::kCommitted || outcome.result == CommitResult::kUnknown;
    if (!may_be_there) return;
    std::vector<ResourceKey> claimed;
    for (const RowChanges& changes : Without(outcome.moved, batch)) {
      if (changes.is_claim) claimed.push_back(changes.key);
    }
    if (!claimed.empty()) on_claimed_(claimed);
  }

  CommitOutcome CommitNow(uint32_t shard, const std::vector<RowChanges>& batch) {
    Moment moment = Moment::kBeforeCommit;
    try {
      if (absl::Status status = EnsureConnection(); !status.ok()) {
        return {CommitResult::kFailed, std::move(status)};
      }
      if (!IsOfShard(batch, shard)) {
        return {CommitResult::kFailed, Internal("a batch that mixes shards")};
      }
      const bool is_logged = options_.history_retention > absl::ZeroDuration();
      Columns columns(batch, lease_.database_ahead, is_logged);
      const StallGuard::Call call(guard_, *connection_);
      pqxx::work transaction(*connection_);
      if (Fenced(transaction, kFence, shard, lease_.epoch)) return FencedOutcome();
      CommitOutcome outcome;
      outcome.moved = Claim(transaction, shard, batch, columns);
      if (!outcome.moved.empty()) {
        columns = Columns(Without(outcome.moved, batch), lease_.database_ahead, is_logged);
      }
      for (const Table table : kTables) {
        Execute(transaction, StatementsOf(table).erase, shard, columns.TakeErase(table));
      }
      for (const Table table : kTables) {
        Execute(transaction, StatementsOf(table).put, shard, columns.TakePut(table));
      }
      Execute(transaction, LogChanges(), shard, columns.TakeLog());
      moment = Moment::kInCommit;
      transaction.commit();
      return outcome;
    } catch (const std::exception& error) {
      CommitOutcome outcome = OutcomeOf(error, moment);
      if (outcome.result != CommitResult::kBadRow) Disconnect();
      return outcome;
    }
  }

  // The rows of another one could one day be in another database.
  bool IsOfShard(const std::vector<RowChanges>& batch, uint32_t shard) const {
    return std::all_of(batch.begin(), batch.end(), [&](const RowChanges& changes) {
      return changes.key.StableHash() % lease_.shards == shard;
    });
  }

  absl::StatusOr<std::optional<ResourceRows>> ReadNow(uint32_t shard, const ResourceKey& key) {
    try {
      if (absl::Status status = EnsureConnection(); !status.ok()) return status;
      const StallGuard::Call call(guard_, *connection_);
      pqxx::work transaction(*connection_);
      if (Fenced(transaction, kFenceAlone, shard, lease_.epoch)) return FencedOutcome().status;
      return ReadResource(transaction, shard, key, lease_.database_ahead);
    } catch (const std::exception& error) {
      Disconnect();
      return StatusOf(error);
    }
  }

  // Unlike a read it takes no lock: all statements see one moment, and that the lease was ours then
  // is enough.
  absl::StatusOr<std::optional<ResourceRows>> LookNow(uint32_t shard, const ResourceKey& key,
                                                      uint64_t known) {
    try {
      if (absl::Status status = EnsureConnection(); !status.ok()) return status;
      const StallGuard::Call call(guard_, *connection_);
      pqxx::transaction<pqxx::repeatable_read> transaction(*connection_);
      if (Fenced(transaction, kOwn, shard, lease_.epoch)) return FencedOutcome().status;
      return ReadResource(transaction, shard, key, lease_.database_ahead, known);
    } catch (const std::exception& error) {
      Disconnect();
      return StatusOf(error);
    }
  }

  absl::StatusOr<std::optional<ResourceKey>> FindNow(uint32_t shard, const LocalTag& tag) {
    try {
      if (absl::Status status = EnsureConnection(); !status.ok()) return status;
      const StallGuard::Call call(guard_, *connection_);
      pqxx::work transaction(*connection_);
      const pqxx::result found = transaction.exec_prepared(kFind, shard, tag.text());
      if (found.empty()) return std::nullopt;
      return KeyOf(found[0]);
    } catch (const std::exception& error) {
      Disconnect();
      return StatusOf(error);
    }
  }

  static CommitOutcome FencedOutcome() {
    return {CommitResult::kFenced, StorageUnavailable("another core owns this shard now")};
  }

  // Throws when the database cannot be reached; an error while it was so a moment ago.
  absl::Status EnsureConnection() {
    if (connection_ != nullptr && connection_->is_open()) return absl::OkStatus();
    connection_.reset();
    if (clock_.Now() < not_before_) return StorageUnavailable("the database is not reachable");
    try {
      connection_ = Connect(options_, &guard_);
      const StallGuard::Call call(guard_, *connection_);
      PrepareStatements(*connection_);
      return absl::OkStatus();
    } catch (const std::exception&) {
      // Not from when it was tried: one that does not answer may have taken seconds.
      not_before_ = clock_.Now() + kReconnectInterval;
      throw;
    }
  }

  void Disconnect() { connection_.reset(); }

  const DatabaseOptions& options_;
  const Clock& clock_;
  const LeaseKeeper::Lease& lease_;
  StallGuard& guard_;
  const OnClaimed& on_claimed_;
  std::unique_ptr<pqxx::connection> connection_;
  absl::Time not_before_ = absl::InfinitePast();
  Worker worker_;  // last: its tasks use the rest
};

PostgresStore::PostgresStore(DatabaseOptions options, const Clock& clock,
                             const LeaseKeeper::Lease& lease, OnClaimed on_claimed)
    : options_(std::move(options)),
      clock_(clock),
      lease_(lease),
      on_claimed_(std::move(on_claimed)),
      guard_(std::make_unique<StallGuard>(options_, clock)) {
  const uint32_t lanes = std::clamp(options_.connections, 1u, lease_.shards);
  for (uint32_t i = 0; i < lanes; ++i) {
    lanes_.push_back(std::make_unique<Lane>(options_, clock_, lease_, *guard_, on_claimed_));
  }
}

PostgresStore::~PostgresStore() = default;

uint32_t PostgresStore::lanes() const { return static_cast<uint32_t>(lanes_.size()); }

PostgresStore::Lane& PostgresStore::LaneOfShard(uint32_t shard) { return *lanes_[LaneOf(shard)]; }

void PostgresStore::Commit(uint32_t shard, const std::vector<RowChanges>& batch, CommitDone done) {
  LaneOfShard(shard).Commit(shard, batch, std::move(done));
}

void PostgresStore::Read(const ResourceKey& key, ReadDone done) {
  const uint32_t shard = ShardOf(key);
  LaneOfShard(shard).Read(shard, key, std::move(done));
}

void PostgresStore::Look(const ResourceKey& key, uint64_t known, ReadDone done) {
  const uint32_t shard = ShardOf(key);
  LaneOfShard(shard).Look(shard, key, known, std::move(done));
}

void PostgresStore::Find(const LocalTag& tag, FindDone done) {
  const uint32_t shard = ShardOf(tag);
  LaneOfShard(shard).Find(shard, tag, std::move(done));
}

absl::Status PostgresStore::ReadAll(absl::FunctionRef<void(ResourceRows)> visit) {
  try {
    // A fetch of many rows takes longer than a commit, and what is done with them between two
    // fetches may, too: so the server sets no limit, and the guard one to each fetch.
    DatabaseOptions options = options_;
    options.statement_timeout = kFetchFactor * options_.statement_timeout;
    StallGuard guard(options, clock_);
    options.statement_timeout = absl::ZeroDuration();
    const auto connection = Connect(options, &guard);
    for (uint32_t shard = 0; shard < lease_.shards; ++shard) {
      std::optional<StallGuard::Call> begin(std::in_place, guard, *connection);
      pqxx::transaction<pqxx::repeatable_read> transaction(*connection);
      begin.reset();
      ReadShard(transaction, guard, shard, options_.batch_rows, lease_.database_ahead,
                [&](ResourceRows rows) {
                  if (rows.resource.revision.epoch < lease_.settled_since) {
                    rows.resource.settled_seq.reset();
                  }
                  visit(std::move(rows));
                });
    }
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return StatusOf(error);
  }
}

}  // namespace presence
