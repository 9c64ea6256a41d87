#ifndef PRESENCE_CORE_STORAGE_POSTGRES_DATABASE_OPTIONS_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_DATABASE_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace presence {

// How to reach the database and how to behave there.
struct DatabaseOptions {
  // Of NormalizeDsn.
  std::string dsn;
  // Whether a commit waits for the disk. Set for each session, whatever the server's default is: it
  // is part of what a storage mode promises.
  bool synchronous_commit = true;
  // The database gives up a statement, and an idle transaction, after this long.
  absl::Duration statement_timeout = absl::Seconds(2);
  // Connections that commit.
  uint32_t connections = 4;
  // How long change_log keeps what was changed; zero: commits write nothing there.
  absl::Duration history_retention = absl::ZeroDuration();
  // Rows of each table held at once while loading.
  size_t batch_rows = 2000;
};

// A connection string ("host=/run/postgresql dbname=presence" or "postgres://...") as one that also
// has what is not said in it: connect_timeout, application_name and keep-alives. Errors:
// INVALID_FIELD   not a connection string; the message does not quote it.
absl::StatusOr<std::string> NormalizeDsn(const std::string& dsn);

// What may be shown of it: user, host, port and database, never a password.
std::string DescribeDsn(const std::string& dsn);

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_DATABASE_OPTIONS_H_
