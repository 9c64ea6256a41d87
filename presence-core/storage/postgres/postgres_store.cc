#include "presence-core/storage/postgres/postgres_store.h"

#include <algorithm>
#include <optional>
#include <pqxx/pqxx>
#include <utility>

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

void Execute(pqxx::transaction_base& transaction, const Statement& statement, uint32_t shard,
             const std::vector<std::string>& arrays) {
  if (arrays.empty()) return;
  transaction.exec_prepared0(statement.name, shard, pqxx::prepare::make_dynamic_params(arrays));
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
       StallGuard& guard)
      : options_(options), clock_(clock), lease_(lease), guard_(guard), worker_(clock, "storage") {}

  void Commit(uint32_t shard, const std::vector<RowChanges>& batch, CommitDone done) {
    worker_.Post(
        [this, shard, &batch, done = std::move(done)]() mutable { done(CommitNow(shard, batch)); });
  }

  void Read(uint32_t shard, const ResourceKey& key, ReadDone done) {
    worker_.Post(
        [this, shard, key, done = std::move(done)]() mutable { done(ReadNow(shard, key)); });
  }

 private:
  CommitOutcome CommitNow(uint32_t shard, const std::vector<RowChanges>& batch) {
    Moment moment = Moment::kBeforeCommit;
    try {
      if (absl::Status status = EnsureConnection(); !status.ok()) {
        return {CommitResult::kFailed, std::move(status)};
      }
      Columns columns(batch, lease_.database_ahead);
      const StallGuard::Call call(guard_, *connection_);
      pqxx::work transaction(*connection_);
      if (Fenced(transaction, kFence, shard, lease_.epoch)) return FencedOutcome();
      for (const Table table : kTables) {
        Execute(transaction, StatementsOf(table).erase, shard, columns.TakeErase(table));
      }
      for (const Table table : kTables) {
        Execute(transaction, StatementsOf(table).put, shard, columns.TakePut(table));
      }
      moment = Moment::kInCommit;
      transaction.commit();
      return {};
    } catch (const std::exception& error) {
      CommitOutcome outcome = OutcomeOf(error, moment);
      if (outcome.result != CommitResult::kBadRow) Disconnect();
      return outcome;
    }
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
  std::unique_ptr<pqxx::connection> connection_;
  absl::Time not_before_ = absl::InfinitePast();
  Worker worker_;  // last: its tasks use the rest
};

PostgresStore::PostgresStore(DatabaseOptions options, const Clock& clock,
                             const LeaseKeeper::Lease& lease)
    : options_(std::move(options)),
      clock_(clock),
      lease_(lease),
      guard_(std::make_unique<StallGuard>(options_, clock)) {
  const uint32_t lanes = std::clamp(options_.connections, 1u, lease_.shards);
  for (uint32_t i = 0; i < lanes; ++i) {
    lanes_.push_back(std::make_unique<Lane>(options_, clock_, lease_, *guard_));
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

absl::Status PostgresStore::ReadAll(absl::FunctionRef<void(ResourceRows)> visit) {
  try {
    DatabaseOptions options = options_;
    options.statement_timeout = absl::ZeroDuration();  // none: a fetch of many rows may take long
    const auto connection = Connect(options);
    for (uint32_t shard = 0; shard < lease_.shards; ++shard) {
      pqxx::transaction<pqxx::repeatable_read> transaction(*connection);
      ReadShard(transaction, shard, options_.batch_rows, lease_.database_ahead,
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
