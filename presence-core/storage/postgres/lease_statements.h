#ifndef PRESENCE_CORE_STORAGE_POSTGRES_LEASE_STATEMENTS_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_LEASE_STATEMENTS_H_

#include <array>
#include <string_view>

namespace presence {

// What LeaseKeeper asks of the database. One process owns all shards, or several share all of them,
// so these go over all; a test reads that they touch no state, and explains them where many have
// waited.

// Who else owns a shard. $1 node, $2 whether several may.
inline constexpr char kLook[] =
    "SELECT node, address,"
    " extract(epoch FROM expires_at - clock_timestamp())::double precision AS remaining"
    " FROM lease WHERE (node <> $1 OR is_shared) AND NOT (is_shared AND $2)"
    " AND expires_at >= clock_timestamp() ORDER BY shard LIMIT 1";
inline constexpr char kLock[] =
    "SELECT epoch, is_ahead, settled_since, is_shared FROM lease ORDER BY shard FOR UPDATE";
// $1 epoch, $2 node, $3 address, $4 seconds, $5 is_ahead, $6 settled_since, $7 is_shared.
inline constexpr char kTake[] =
    "UPDATE lease SET epoch = $1, node = $2, address = $3,"
    " expires_at = clock_timestamp() + make_interval(secs => $4), is_ahead = $5,"
    " settled_since = $6, is_shared = $7";
// $1 seconds, $2 epoch, $3 node, $4 address.
inline constexpr char kRenew[] =
    "UPDATE lease SET expires_at = clock_timestamp() + make_interval(secs => $1), address = $4"
    " WHERE epoch = $2 AND node = $3";
// $1 epoch, $2 node, $3 whether all is stored.
inline constexpr char kRelease[] =
    "UPDATE lease SET expires_at = 'epoch', is_ahead = is_ahead AND NOT $3"
    " WHERE epoch = $1 AND node = $2";

// Of several that share a lease. $1 seconds, $2 epoch.
inline constexpr char kRenewShared[] =
    "UPDATE lease SET expires_at = clock_timestamp() + make_interval(secs => $1)"
    " WHERE epoch = $2 AND is_shared";
// $1 node, $2 address.
inline constexpr char kServe[] =
    "INSERT INTO node (shard, name, seen_at, serves, address)"
    " SELECT shard, $1, clock_timestamp(), true, $2 FROM lease ON CONFLICT (shard, name)"
    " DO UPDATE SET seen_at = EXCLUDED.seen_at, serves = true, address = EXCLUDED.address";
// Which others than $1 serve, by what was seen within $2 seconds.
inline constexpr char kServing[] =
    "SELECT name FROM node WHERE shard = 0 AND serves AND name <> $1"
    " AND seen_at > clock_timestamp() - make_interval(secs => $2)";
inline constexpr char kStopServing[] = "DELETE FROM node WHERE shard >= 0 AND name = $1";
// $1 epoch, $2 seconds: while nobody else serves.
inline constexpr char kReleaseShared[] =
    "UPDATE lease SET expires_at = 'epoch' WHERE epoch = $1 AND is_shared AND NOT EXISTS"
    " (SELECT 1 FROM node WHERE node.shard = lease.shard AND serves"
    " AND seen_at > clock_timestamp() - make_interval(secs => $2))";

// Who waits, a row a shard. $1 node.
inline constexpr char kWait[] =
    "INSERT INTO node (shard, name, seen_at) SELECT shard, $1, clock_timestamp() FROM lease"
    " ON CONFLICT (shard, name) DO UPDATE SET seen_at = EXCLUDED.seen_at";
// Whether another than $1 has waited within $2 seconds.
inline constexpr char kIsAwaited[] =
    "SELECT EXISTS (SELECT 1 FROM lease JOIN node USING (shard)"
    " WHERE name <> $1 AND seen_at > clock_timestamp() - make_interval(secs => $2))";
// $1 no longer waits; nor does who was last seen yesterday.
inline constexpr char kForgetOld[] =
    "DELETE FROM node USING lease WHERE node.shard = lease.shard"
    " AND (name = $1 OR seen_at < clock_timestamp() - interval '1 day')";

inline constexpr std::array<std::string_view, 13> kLeaseStatements{
    kLook,    kLock,        kTake,          kRenew, kRelease,   kRenewShared, kServe,
    kServing, kStopServing, kReleaseShared, kWait,  kIsAwaited, kForgetOld};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_LEASE_STATEMENTS_H_
