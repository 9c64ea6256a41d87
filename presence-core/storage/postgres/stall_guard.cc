#include "presence-core/storage/postgres/stall_guard.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace presence {
namespace {

constexpr int kTicksPerPatience = 8;

// The server gives up each statement by itself; only when it does not even do that are we asked.
absl::Duration PatienceOf(const DatabaseOptions& options) {
  return 2 * options.statement_timeout + absl::Seconds(1);
}

}  // namespace

StallGuard::StallGuard(const DatabaseOptions& options, const Clock& clock)
    : clock_(clock),
      patience_(PatienceOf(options)),
      tick_(patience_ / kTicksPerPatience),
      worker_(clock, "stalls") {
  worker_.PostAt(clock_.Now() + tick_, [this] { Look(); });
}

void StallGuard::Look() {
  const absl::Time now = clock_.Now();
  {
    absl::MutexLock lock(&mu_);
    for (const Call* call : calls_) {
      if (call->deadline_ > now) break;
      shutdown(call->socket_, SHUT_RDWR);  // doing it again does no harm
    }
  }
  worker_.PostAt(now + tick_, [this] { Look(); });
}

StallGuard::Call::Call(StallGuard& guard, const pqxx::connection_base& connection)
    : guard_(guard),
      socket_(fcntl(connection.sock(), F_DUPFD_CLOEXEC, 0)),
      deadline_(guard.clock_.Now() + guard.patience_) {
  absl::MutexLock lock(&guard_.mu_);
  place_ = guard_.calls_.insert(guard_.calls_.end(), this);
}

StallGuard::Call::~Call() {
  {
    absl::MutexLock lock(&guard_.mu_);
    guard_.calls_.erase(place_);
  }
  if (socket_ >= 0) close(socket_);
}

}  // namespace presence
