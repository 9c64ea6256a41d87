#include "presence-core/storage/postgres/gateway_sessions.h"

#include <pqxx/pqxx>
#include <utility>

#include "presence-core/model/request_key.h"
#include "presence-core/storage/gateway_group.h"
#include "presence-core/storage/postgres/connection.h"

namespace presence {
namespace {

constexpr absl::Duration kReconnectInterval = absl::Milliseconds(200);

constexpr char kBegin[] =
    "INSERT INTO gateway_session (shard, gateway_group, core, fence, gateways)"
    " VALUES ($1, $2, '', 0, '{}') ON CONFLICT (shard, gateway_group) DO NOTHING";
constexpr char kLook[] =
    "SELECT core, fence, node.name IS NOT NULL AS lives, node.address,"
    " cardinality(array_remove(gateways, $3)) AS others"
    " FROM gateway_session s LEFT JOIN node ON node.shard = s.shard AND node.name = s.core"
    " AND node.serves AND node.seen_at > clock_timestamp() - make_interval(secs => $4)"
    " WHERE s.shard = $1 AND gateway_group = $2 FOR UPDATE OF s";
constexpr char kTake[] =
    "UPDATE gateway_session SET core = $3, fence = $5, gateways = ARRAY[$4::text]"
    " WHERE shard = $1 AND gateway_group = $2";
constexpr char kJoin[] =
    "UPDATE gateway_session SET gateways = array_append(array_remove(gateways, $3), $3)"
    " WHERE shard = $1 AND gateway_group = $2";
constexpr char kForget[] =
    "UPDATE gateway_session SET gateways = '{}' WHERE shard = $1 AND core = $2";
constexpr char kLeave[] =
    "UPDATE gateway_session SET gateways = array_remove(gateways, $4)"
    " WHERE shard = $1 AND gateway_group = $2 AND core = $3";

}  // namespace

GatewaySessions::GatewaySessions(DatabaseOptions options, std::string node, uint32_t shards,
                                 absl::Duration lifetime, const Clock& clock)
    : options_(std::move(options)),
      node_(std::move(node)),
      shards_(shards),
      lifetime_(lifetime),
      clock_(clock),
      guard_(options_, clock),
      groups_(node_),
      worker_(clock, "sessions") {
  worker_.Post([this] { ForgetNow(); });
}

void GatewaySessions::Claim(std::string group, std::string gateway, Claimed done) {
  worker_.Post([this, group = std::move(group), gateway = std::move(gateway),
                done = std::move(done)]() mutable { done(ClaimNow(group, gateway)); });
}

void GatewaySessions::Leave(std::string group, std::string gateway) {
  worker_.Post(
      [this, group = std::move(group), gateway = std::move(gateway)] { LeaveNow(group, gateway); });
}

uint32_t GatewaySessions::ShardOf(const std::string& group) const {
  const RequestKey hash = RequestKey::Of({group});  // the same in every process
  return (hash.bytes[0] * 256u + hash.bytes[1]) % shards_;
}

pqxx::connection& GatewaySessions::Connection() {
  if (connection_ != nullptr && connection_->is_open()) return *connection_;
  // Each attempt may take seconds, and many may wait.
  if (clock_.Now() < connect_at_) throw pqxx::broken_connection("the database is away");
  try {
    connection_ = Connect(options_, &guard_);
  } catch (const std::exception&) {
    connect_at_ = clock_.Now() + kReconnectInterval;
    throw;
  }
  return *connection_;
}

void GatewaySessions::ForgetNow() {
  try {
    pqxx::connection& connection = Connection();
    const StallGuard::Call call(guard_, connection);
    pqxx::work transaction(connection);
    for (uint32_t shard = 0; shard < shards_; ++shard) {
      transaction.exec_params0(kForget, shard, node_);
    }
    transaction.commit();
  } catch (const std::exception&) {
    // Then they are taken to be here until they come elsewhere by themselves.
    connection_.reset();
  }
}

absl::StatusOr<bool> GatewaySessions::ClaimNow(const std::string& group,
                                               const std::string& gateway) {
  try {
    pqxx::connection& connection = Connection();
    const StallGuard::Call call(guard_, connection);
    const uint32_t shard = ShardOf(group);
    pqxx::work transaction(connection);
    transaction.exec_params0(kBegin, shard, group);
    const pqxx::row row =
        transaction.exec_params1(kLook, shard, group, gateway, absl::ToDoubleSeconds(lifetime_));
    GatewayGroup found;
    found.name = group;
    found.core = row["core"].as<std::string>();
    found.core_lives = row["lives"].as<bool>();
    if (found.core_lives) found.address = row["address"].as<std::string>();
    found.fence = row["fence"].as<uint64_t>();
    found.others = row["others"].as<size_t>();
    const auto claim = groups_.Decide(found);
    if (!claim.ok()) return claim.status();
    if (claim->takes) {
      transaction.exec_params0(kTake, shard, group, node_, gateway, claim->fence);
    } else {
      transaction.exec_params0(kJoin, shard, group, gateway);
    }
    transaction.commit();
    return groups_.OnStored(group, *claim);
  } catch (const std::exception& error) {
    connection_.reset();
    return StatusOf(error);
  }
}

void GatewaySessions::LeaveNow(const std::string& group, const std::string& gateway) {
  try {
    pqxx::connection& connection = Connection();
    const StallGuard::Call call(guard_, connection);
    pqxx::work transaction(connection);
    transaction.exec_params0(kLeave, ShardOf(group), group, node_, gateway);
    transaction.commit();
  } catch (const std::exception&) {
    // Then it is taken to be here until it comes elsewhere by itself.
    connection_.reset();
  }
}

}  // namespace presence
