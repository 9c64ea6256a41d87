#ifndef PRESENCE_CORE_STORAGE_POSTGRES_GATEWAY_SESSIONS_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_GATEWAY_SESSIONS_H_

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "presence-core/storage/gateway_group.h"
#include "presence-core/storage/postgres/database_options.h"
#include "presence-core/storage/postgres/stall_guard.h"
#include "runtime/clock.h"
#include "runtime/worker.h"

namespace presence {

// Which of the processes that share a database instructs the dialogs of a gateway group: the one
// that the group's gateways are connected to. A gateway that comes to another is sent where its
// group is, so long as that one lives and has other gateways of the group; else it brings the group
// along.
//
// Safe to call from any thread; what is asked is done in order, on a thread of its own.
class GatewaySessions {
 public:
  // `node` is the name of this process in the table node. One whose row there is older than
  // `lifetime` is dead. Gateways that an earlier life of this one had are not here any more.
  GatewaySessions(DatabaseOptions options, std::string node, uint32_t shards,
                  absl::Duration lifetime, const Clock& clock);

  // The group of `gateway` is to be instructed from here. True when it has been instructed from
  // elsewhere since it was last here, or may have been, so that its dialogs are to be adopted.
  // Errors: STORAGE_UNAVAILABLE; CORE_UNREACHABLE   another process has the group, and is named.
  using Claimed = absl::AnyInvocable<void(absl::StatusOr<bool>)>;
  void Claim(std::string group, std::string gateway, Claimed done);

  // The gateway has gone. Nothing more is instructed in its dialogs unless another of its group is
  // here.
  void Leave(std::string group, std::string gateway);

  void Stop() { worker_.Stop(); }

 private:
  absl::StatusOr<bool> ClaimNow(const std::string& group, const std::string& gateway);
  void ForgetNow();
  void LeaveNow(const std::string& group, const std::string& gateway);
  pqxx::connection& Connection();
  uint32_t ShardOf(const std::string& group) const;

  const DatabaseOptions options_;
  const std::string node_;
  const uint32_t shards_;
  const absl::Duration lifetime_;
  const Clock& clock_;
  StallGuard guard_;
  absl::Time connect_at_ = absl::InfinitePast();  // not before
  std::unique_ptr<pqxx::connection> connection_;  // the worker's only
  GatewayGroups groups_;                          // the worker's only
  Worker worker_;                                 // last: its tasks use the rest
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_GATEWAY_SESSIONS_H_
