#include "presence-core/storage/postgres/lease_keeper.h"

#include <fmt/format.h>

#include <pqxx/pqxx>
#include <utility>

#include "presence-core/model/error.h"
#include "presence-core/storage/postgres/connection.h"
#include "runtime/worker.h"

namespace presence {
namespace {

constexpr char kLock[] =
    "SELECT shard, epoch, node, address,"
    " extract(epoch FROM expires_at - clock_timestamp())::double precision AS remaining,"
    " node = $1 OR expires_at < clock_timestamp() AS is_free"
    " FROM lease ORDER BY shard FOR UPDATE";
constexpr char kTake[] =
    "UPDATE lease SET epoch = $1, node = $2, address = $3,"
    " expires_at = clock_timestamp() + make_interval(secs => $4)";
constexpr char kRenew[] =
    "UPDATE lease SET expires_at = clock_timestamp() + make_interval(secs => $1)"
    " WHERE epoch = $2 AND node = $3";
constexpr char kRelease[] = "UPDATE lease SET expires_at = 'epoch' WHERE epoch = $1 AND node = $2";

// A renewal that takes longer than the next one is away is given up.
DatabaseOptions DatabaseOfRenewals(const LeaseKeeper::Options& options) {
  DatabaseOptions database = options.database;
  database.statement_timeout = options.renewal;
  return database;
}

}  // namespace

// Renews on a thread of its own. All members but the worker are used on that thread only.
class LeaseKeeper::Renewal {
 public:
  Renewal(const Options& options, const Clock& clock, const Lease& lease)
      : options_(options),
        clock_(clock),
        lease_(lease),
        guard_(DatabaseOfRenewals(options), clock),
        worker_(clock, "lease") {
    worker_.PostAt(clock_.Now() + options_.renewal, [this] { Renew(); });
  }

 private:
  void Renew() {
    const absl::Time asked_at = clock_.Now();
    try {
      if (connection_ == nullptr || !connection_->is_open()) {
        connection_ = Connect(DatabaseOfRenewals(options_), &guard_);
      }
      const StallGuard::Call call(guard_, *connection_);
      pqxx::work transaction(*connection_);
      const auto renewed = transaction
                               .exec_params(kRenew, absl::ToDoubleSeconds(options_.lifetime),
                                            lease_.epoch, options_.node)
                               .affected_rows();
      if (renewed != lease_.shards) {
        if (options_.on_lost) options_.on_lost("another process has taken the lease");
        return;
      }
      transaction.commit();
    } catch (const std::exception&) {
      // Nobody can take it while the database is away; whether somebody has is seen afterwards.
      connection_.reset();
    }
    worker_.PostAt(asked_at + options_.renewal, [this] { Renew(); });
  }

  const Options& options_;
  const Clock& clock_;
  const Lease lease_;
  StallGuard guard_;
  std::unique_ptr<pqxx::connection> connection_;
  Worker worker_;  // last: its tasks use the rest
};

LeaseKeeper::LeaseKeeper(Options options, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

LeaseKeeper::~LeaseKeeper() = default;

absl::StatusOr<LeaseKeeper::Lease> LeaseKeeper::Take() {
  Lease lease;
  try {
    const auto connection = Connect(options_.database);
    lease.database_ahead = MeasureClock(*connection, clock_);
    pqxx::work transaction(*connection);
    const pqxx::result rows = transaction.exec_params(kLock, options_.node);
    if (rows.empty())
      return StorageUnavailable("the table lease has no rows: migrate the database");
    for (const pqxx::row& row : rows) {
      lease.epoch = std::max(lease.epoch, row[1].as<uint64_t>());
      if (row["is_free"].as<bool>()) continue;
      lease.owner = row["node"].as<std::string>();
      lease.address = row["address"].as<std::string>();
      lease.remaining = absl::Seconds(row["remaining"].as<double>());
      return lease;
    }
    lease.is_ours = true;
    lease.shards = static_cast<uint32_t>(rows.size());
    ++lease.epoch;
    transaction.exec_params0(kTake, lease.epoch, options_.node, options_.address,
                             absl::ToDoubleSeconds(options_.lifetime));
    transaction.commit();
  } catch (const std::exception& error) {
    return StatusOf(error);
  }
  lease.owner = options_.node;
  lease.address = options_.address;
  renewal_ = std::make_unique<Renewal>(options_, clock_, lease);
  epoch_ = lease.epoch;
  return lease;
}

void LeaseKeeper::Release() {
  if (renewal_ == nullptr) return;
  renewal_.reset();
  try {
    StallGuard guard(options_.database, clock_);
    const auto connection = Connect(options_.database, &guard);
    const StallGuard::Call call(guard, *connection);
    pqxx::work transaction(*connection);
    transaction.exec_params0(kRelease, epoch_, options_.node);
    transaction.commit();
  } catch (const std::exception&) {
    // It ends by itself at its deadline.
  }
}

}  // namespace presence
