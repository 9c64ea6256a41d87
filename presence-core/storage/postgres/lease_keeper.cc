#include "presence-core/storage/postgres/lease_keeper.h"

#include <algorithm>
#include <pqxx/pqxx>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "presence-core/model/error.h"
#include "presence-core/storage/lease_term.h"
#include "presence-core/storage/postgres/connection.h"
#include "presence-core/storage/postgres/lease_statements.h"
#include "runtime/worker.h"

namespace presence {
namespace {

// What stands in place of an owner.
constexpr char kSeveral[] = "several cores (db-only)";

// A renewal that takes as long as the lease is given up.
DatabaseOptions DatabaseOfRenewals(const LeaseKeeper::Options& options) {
  DatabaseOptions database = options.database;
  database.statement_timeout =
      std::min(database.statement_timeout, options.lifetime - options.margin);
  return database;
}

// Fills in who that is.
bool IsOwnedByAnother(pqxx::work& transaction, const LeaseKeeper::Options& options,
                      LeaseKeeper::Lease& lease) {
  const pqxx::result rows = transaction.exec_params(kLook, options.node, options.is_shared);
  if (rows.empty()) return false;
  lease.owner = rows[0]["node"].as<std::string>();
  lease.address = rows[0]["address"].as<std::string>();
  lease.remaining = absl::Seconds(rows[0]["remaining"].as<double>());
  return true;
}

// Other processes that serve with this one.
std::set<std::string> Serving(pqxx::work& transaction, const LeaseKeeper::Options& options) {
  std::set<std::string> names;
  const pqxx::result rows =
      transaction.exec_params(kServing, options.node, absl::ToDoubleSeconds(options.lifetime));
  for (const pqxx::row& row : rows) names.insert(row[0].as<std::string>());
  return names;
}

// Whether another process waits for what this one owns, or serves from it, too.
bool IsAwaited(pqxx::work& transaction, const LeaseKeeper::Options& options) {
  return transaction
      .exec_params1(kIsAwaited, options.node, absl::ToDoubleSeconds(options.lifetime))[0]
      .as<bool>();
}

}  // namespace

// Renews on a thread of its own, and looks on another one whether this process has stood still: a
// renewal may wait for the database for any time.
class LeaseKeeper::Renewal {
 public:
  Renewal(const Options& options, const Clock& clock, const Lease& lease, absl::Time taken_at,
          bool is_awaited)
      : options_(options),
        clock_(clock),
        lease_(lease),
        term_(options.lifetime, options.margin, taken_at, clock.Now(), is_awaited),
        address_(lease.address),
        guard_(DatabaseOfRenewals(options), clock),
        ticker_(clock, "lease-clock"),
        worker_(clock, "lease") {
    ticker_.Post([this] { Tick(); });
    worker_.PostAt(clock_.Now() + options_.renewal, [this] { Renew(); });
  }

  // Nothing is renewed any more.
  void Stop() {
    ticker_.Stop();
    worker_.Stop();
  }

  bool IsSure() const { return term_.IsSure(clock_.Now()); }

  void Announce(std::string address) {
    absl::MutexLock lock(&mu_);
    address_ = std::move(address);
  }

 private:
  void Tick() {
    const absl::Time now = clock_.Now();
    term_.OnTick(now);
    ticker_.PostAt(now + options_.renewal / 4, [this] { Tick(); });
  }

  void Renew() {
    const absl::Time asked_at = clock_.Now();
    try {
      if (connection_ == nullptr || !connection_->is_open()) {
        connection_ = Connect(DatabaseOfRenewals(options_), &guard_);
      }
      const StallGuard::Call call(guard_, *connection_);
      pqxx::work transaction(*connection_);
      const double lifetime = absl::ToDoubleSeconds(options_.lifetime);
      const auto renewed =
          (options_.is_shared
               ? transaction.exec_params(kRenewShared, lifetime, lease_.epoch)
               : transaction.exec_params(kRenew, lifetime, lease_.epoch, options_.node, Address()))
              .affected_rows();
      if (renewed != lease_.shards) {
        if (options_.on_lost) options_.on_lost("another process has taken the lease");
        return;
      }
      std::set<std::string> serving;
      if (options_.is_shared) {
        transaction.exec_params0(kServe, options_.node, Address());
        serving = Serving(transaction, options_);
      }
      const bool is_awaited = IsAwaited(transaction, options_);
      transaction.commit();
      if (term_.OnRenewed(asked_at, clock_.Now(), is_awaited, std::move(serving))) {
        options_.on_silence();
      }
    } catch (const std::exception&) {
      // Whether somebody has taken it is seen when the database is back.
      connection_.reset();
    }
    worker_.PostAt(asked_at + options_.renewal, [this] { Renew(); });
  }

  std::string Address() {
    absl::MutexLock lock(&mu_);
    return address_;
  }

  const Options& options_;
  const Clock& clock_;
  const Lease lease_;
  LeaseTerm term_;

  absl::Mutex mu_;  // a leaf
  std::string address_ ABSL_GUARDED_BY(mu_);

  StallGuard guard_;
  std::unique_ptr<pqxx::connection> connection_;  // the worker's only
  // Last: their tasks use the rest.
  Worker ticker_;
  Worker worker_;
};

// A connection and who minds it: whoever waits must be able to stop although the server says
// nothing.
struct LeaseKeeper::Session {
  Session(const DatabaseOptions& options, const Clock& clock)
      : guard(options, clock), connection(Connect(options, &guard)) {}

  StallGuard guard;
  const std::unique_ptr<pqxx::connection> connection;
};

LeaseKeeper::LeaseKeeper(Options options, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {}

LeaseKeeper::~LeaseKeeper() = default;

absl::StatusOr<LeaseKeeper::Lease> LeaseKeeper::Take() {
  Lease lease;
  bool is_awaited = false;
  const absl::Time asked_at = clock_.Now();
  // It comes back only if this process has to ask again.
  std::unique_ptr<Session> session = std::move(waiting_);
  try {
    if (session == nullptr) session = std::make_unique<Session>(options_.database, clock_);
    const StallGuard::Call call(session->guard, *session->connection);
    lease.database_ahead = MeasureClock(*session->connection, clock_);
    pqxx::work transaction(*session->connection);
    // Without a lock at first: commits of the owner need theirs.
    if (IsOwnedByAnother(transaction, options_, lease)) {
      transaction.exec_params0(kWait, options_.node);
      transaction.commit();
      waiting_ = std::move(session);
      return lease;
    }
    const pqxx::result rows = transaction.exec(kLock);
    if (rows.empty())
      return StorageUnavailable("the table lease has no rows: migrate the database");
    if (IsOwnedByAnother(transaction, options_, lease)) return lease;  // it was faster
    bool was_ahead = false;
    bool was_shared = true;
    for (const pqxx::row& row : rows) {
      lease.epoch = std::max(lease.epoch, row["epoch"].as<uint64_t>());
      lease.settled_since = std::max(lease.settled_since, row["settled_since"].as<uint64_t>());
      was_ahead = was_ahead || row["is_ahead"].as<bool>();
      was_shared = was_shared && row["is_shared"].as<bool>();
    }
    lease.is_ours = true;
    lease.shards = static_cast<uint32_t>(rows.size());
    // Those who share it are one owner: an epoch that changed would cut them off.
    if (!options_.is_shared || !was_shared) ++lease.epoch;
    if (was_ahead) lease.settled_since = lease.epoch;
    transaction.exec_params0(kTake, lease.epoch, options_.is_shared ? kSeveral : options_.node,
                             options_.is_shared ? "" : options_.address,
                             absl::ToDoubleSeconds(options_.lifetime), options_.is_ahead,
                             lease.settled_since, options_.is_shared);
    transaction.exec_params0(kForgetOld, options_.node);
    if (options_.is_shared) {
      transaction.exec_params0(kServe, options_.node, options_.address);
    }
    is_awaited = IsAwaited(transaction, options_);
    transaction.commit();
  } catch (const std::exception& error) {
    return StatusOf(error);
  }
  lease.owner = options_.node;
  lease.address = options_.address;
  renewal_ = std::make_unique<Renewal>(options_, clock_, lease, asked_at, is_awaited);
  epoch_ = lease.epoch;
  return lease;
}

bool LeaseKeeper::IsSure() const { return renewal_ != nullptr && renewal_->IsSure(); }

void LeaseKeeper::Announce(std::string address) {
  if (renewal_ != nullptr) renewal_->Announce(std::move(address));
}

void LeaseKeeper::Release(bool is_all_stored) {
  if (renewal_ == nullptr) return;
  renewal_->Stop();  // it stays, for those who ask IsSure()
  try {
    StallGuard guard(options_.database, clock_);
    const auto connection = Connect(options_.database, &guard);
    const StallGuard::Call call(guard, *connection);
    pqxx::work transaction(*connection);
    if (options_.is_shared) {
      transaction.exec_params0(kStopServing, options_.node);
      transaction.exec_params0(kReleaseShared, epoch_, absl::ToDoubleSeconds(options_.lifetime));
    } else {
      transaction.exec_params0(kRelease, epoch_, options_.node, is_all_stored);
    }
    transaction.commit();
  } catch (const std::exception&) {
    // It ends by itself at its deadline.
  }
}

}  // namespace presence
