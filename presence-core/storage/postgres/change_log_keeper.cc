#include "presence-core/storage/postgres/change_log_keeper.h"

#include <pqxx/pqxx>
#include <utility>

#include "presence-core/storage/postgres/connection.h"

namespace presence {
namespace {

// A database may be away for that long, or the role lack a right, before rows go with the rest.
constexpr int kDaysAhead = 3;
constexpr absl::Duration kInterval = absl::Minutes(10);
constexpr absl::Duration kTryAgain = absl::Minutes(1);

constexpr char kExtend[] = "SELECT extend_change_log($1)";
constexpr char kTrim[] = "SELECT trim_change_log(clock_timestamp() - make_interval(secs => $1))";
// Somebody else is at it: then nothing is to be done.
constexpr char kIsAlone[] = "SELECT pg_try_advisory_xact_lock(7461)";

template <typename... Arguments>
void RunAlone(pqxx::connection& connection, const char* statement, const Arguments&... arguments) {
  pqxx::work transaction(connection);
  if (!transaction.exec1(kIsAlone)[0].as<bool>()) return;
  transaction.exec_params(statement, arguments...);
  transaction.commit();
}

}  // namespace

ChangeLogKeeper::ChangeLogKeeper(const DatabaseOptions& options, const Clock& clock,
                                 OnTrouble on_trouble)
    : options_(options),
      clock_(clock),
      on_trouble_(std::move(on_trouble)),
      guard_(options_, clock),
      worker_(clock, "change-log") {
  if (options_.history_retention > absl::ZeroDuration()) worker_.Post([this] { Keep(); });
}

absl::Status ChangeLogKeeper::KeepOnce(const DatabaseOptions& options, StallGuard& guard) {
  try {
    const auto connection = Connect(options, &guard);
    const StallGuard::Call call(guard, *connection);
    RunAlone(*connection, kExtend, kDaysAhead);
    RunAlone(*connection, kTrim, absl::ToDoubleSeconds(options.history_retention));
    return absl::OkStatus();
  } catch (const std::exception& error) {
    return StatusOf(error);
  }
}

void ChangeLogKeeper::Keep() {
  const absl::Status status = KeepOnce(options_, guard_);
  if (!status.ok() && !is_troubled_ && on_trouble_) on_trouble_(status);
  is_troubled_ = !status.ok();
  worker_.PostAt(clock_.Now() + (is_troubled_ ? kTryAgain : kInterval), [this] { Keep(); });
}

}  // namespace presence
