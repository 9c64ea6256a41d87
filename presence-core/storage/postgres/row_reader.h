#ifndef PRESENCE_CORE_STORAGE_POSTGRES_ROW_READER_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_ROW_READER_H_

#include <optional>
#include <pqxx/pqxx>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "presence-core/storage/postgres/stall_guard.h"
#include "presence-core/storage/row_changes.h"

namespace presence {

// Reads what is stored of one resource; nothing when there is no row, and no more than the row of
// the resource itself where that is of version `known`. `database_ahead` is how far the database's
// clock is ahead of the engine's. Throws what pqxx throws, and std::runtime_error
// for a row that no version of this program wrote, naming it.
std::optional<ResourceRows> ReadResource(pqxx::transaction_base& transaction, uint32_t shard,
                                         const ResourceKey& key, absl::Duration database_ahead,
                                         std::optional<uint64_t> known = std::nullopt);

// Presentity and event of a row that begins with them.
ResourceKey KeyOf(const pqxx::row& row);

// Calls `visit` for every resource of the shard in the order of keys, with at most `batch_rows`
// rows of each table held at once beside it. `transaction` sees one state of the database from its
// first statement to its last (repeatable read); `guard` minds each fetch. Throws as ReadResource.
void ReadShard(pqxx::transaction_base& transaction, StallGuard& guard, uint32_t shard,
               size_t batch_rows, absl::Duration database_ahead,
               absl::FunctionRef<void(ResourceRows)> visit);

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_ROW_READER_H_
