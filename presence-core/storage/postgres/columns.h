#ifndef PRESENCE_CORE_STORAGE_POSTGRES_COLUMNS_H_
#define PRESENCE_CORE_STORAGE_POSTGRES_COLUMNS_H_

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "presence-core/storage/postgres/array_writer.h"
#include "presence-core/storage/postgres/statements.h"
#include "presence-core/storage/row_changes.h"

namespace presence {

// The changes of a batch, turned by ninety degrees: an array a column, for the statements of
// statements.h. A table without changes has no rows and needs no statement.
//
// Deadlines leave as times of the database's clock: `database_ahead` is how far that is ahead of
// the engine's.
class Columns {
 public:
  // With `is_logged` also what LogChanges() writes.
  Columns(const std::vector<RowChanges>& batch, absl::Duration database_ahead, bool is_logged);

  // What StatementsOf(table).put and .erase want after $1; empty where there is nothing to do. Each
  // may be taken once.
  std::vector<std::string> TakePut(Table table);
  // The same for ClaimStatement(): the claims, which are no puts.
  std::vector<std::string> TakeClaims() { return Take(claims_); }
  std::vector<std::string> TakeErase(Table table);
  // What LogChanges() wants after $1.
  std::vector<std::string> TakeLog();

 private:
  // The columns of one statement, of `rows` rows.
  struct Batch {
    std::vector<ArrayWriter> columns;
    size_t rows = 0;
  };
  // Writes one row, left to right.
  class Row;

  static std::vector<std::string> Take(Batch& batch);
  void Log(const RowChanges& changes);
  void Add(const ResourceKey& key, const ResourceRow& row, Batch& to);
  void Add(const ResourceKey& key, PublicationId id, const Publication* row);
  void Add(const ResourceKey& key, const LocalTag& id, const Subscription* row);
  void Add(const ResourceKey& key, const WatcherUri& watcher, const WatcherRecord* row);
  void Add(const ResourceKey& key, const RequestKey& request, const AnswerRecord* row);
  void Add(const ResourceKey& key, const DocumentName& name, const StoredDocument* row);

  absl::Duration database_ahead_;
  Batch claims_;
  std::array<Batch, kTables.size()> put_;
  std::array<Batch, kTables.size()> erase_;
  Batch log_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_POSTGRES_COLUMNS_H_
