#ifndef PRESENCE_CORE_STORAGE_WRITE_BACK_DIRTY_ROWS_H_
#define PRESENCE_CORE_STORAGE_WRITE_BACK_DIRTY_ROWS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "presence-core/storage/row_changes.h"

namespace presence {

// How much waits to be written: rows, and about how many bytes of memory they keep alive.
struct DirtySize {
  uint64_t rows = 0;
  uint64_t bytes = 0;

  static DirtySize Of(const RowChanges& changes);
};

// The rows of one resource that wait to be written: of each key the newest, a deletion like any
// other row. Not thread-safe.
class DirtyRows {
 public:
  explicit DirtyRows(ResourceKey key) { rows_.key = std::move(key); }

  // Adds `newer`, and says how many rows it took the place of.
  uint64_t Put(RowChanges newer);
  // Takes everything out.
  RowChanges Take();

  const RowChanges& rows() const { return rows_; }
  DirtySize size() const { return {rows_.size(), bytes_}; }
  bool empty() const { return rows_.empty(); }

 private:
  // Where in its list a key stands; kept only for long lists.
  template <typename Key>
  using Index = absl::flat_hash_map<Key, uint32_t>;
  template <typename Key, typename Row>
  using List = std::vector<std::pair<Key, Row>>;

  template <typename Key, typename Row>
  uint64_t PutAll(List<Key, Row>& rows, Index<Key>& index, List<Key, Row> newer);

  RowChanges rows_;
  uint64_t bytes_ = 0;
  Index<PublicationId> publications_;
  Index<LocalTag> subscriptions_;
  Index<WatcherUri> watchers_;
  Index<RequestKey> answers_;
  Index<DocumentName> documents_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_WRITE_BACK_DIRTY_ROWS_H_
