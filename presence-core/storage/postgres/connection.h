#ifndef PRESENCE_CORE_STORAGE_POSTGRES_CONNECTION_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_CONNECTION_H_

#include <exception>
#include <memory>
#include <pqxx/pqxx>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "presence-core/storage/postgres/database_options.h"
#include "presence-core/storage/postgres/stall_guard.h"
#include "presence-core/storage/row_store.h"
#include "runtime/clock.h"

namespace presence {

// A session in the database, set up as this program needs it. Throws what pqxx throws. It never
// reconnects by itself: what was being done on a lost connection must be weighed first. Without a
// guard nobody waits for the caller, and a server that has stopped talking is waited for.
std::unique_ptr<pqxx::connection> Connect(const DatabaseOptions& options,
                                          StallGuard* guard = nullptr);

// Prepares all of statements.h. The schema must be there.
void PrepareStatements(pqxx::connection& connection);

// How far the database's clock is ahead of `clock`, to within half a round trip.
absl::Duration MeasureClock(pqxx::connection& connection, const Clock& clock);

// Where a statement failed decides what is known of the transaction.
enum class Moment { kBeforeCommit, kInCommit };
// What an exception of pqxx means for a transaction. Server messages are quoted without values of
// rows: they are for the log.
CommitOutcome OutcomeOf(const std::exception& error, Moment moment);

// The same for a read: always STORAGE_UNAVAILABLE.
absl::Status StatusOf(const std::exception& error);

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_CONNECTION_H_
