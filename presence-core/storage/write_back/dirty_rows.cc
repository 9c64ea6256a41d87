#include "presence-core/storage/write_back/dirty_rows.h"

#include <algorithm>
#include <cstddef>

namespace presence {
namespace {

// What a row takes besides a body: the packed dialog of a subscription, and its place here.
constexpr uint64_t kRowBytes = 600;
// A list up to this long is looked through; most resources have a row or two.
constexpr size_t kScanned = 16;

template <typename Row>
uint64_t BytesOf(const Row&) {
  return kRowBytes;
}

uint64_t BytesOf(const PublicationPtr& row) {
  return kRowBytes + (row == nullptr ? 0 : row->document.body().size());
}

uint64_t BytesOf(const StoredDocumentPtr& row) {
  return kRowBytes + (row == nullptr ? 0 : row->document.body().size());
}

template <typename Rows>
uint64_t BytesOfAll(const Rows& rows) {
  uint64_t bytes = 0;
  for (const auto& [key, row] : rows) bytes += BytesOf(row);
  return bytes;
}

}  // namespace

DirtySize DirtySize::Of(const RowChanges& changes) {
  const uint64_t bytes = (changes.resource.has_value() ? kRowBytes : 0) +
                         BytesOfAll(changes.publications) + BytesOfAll(changes.subscriptions) +
                         BytesOfAll(changes.watchers) + BytesOfAll(changes.answers) +
                         BytesOfAll(changes.documents);
  return {changes.size(), bytes};
}

template <typename Key, typename Row>
uint64_t DirtyRows::PutAll(List<Key, Row>& rows, Index<Key>& index, List<Key, Row> newer) {
  const auto find = [&](const Key& key) -> size_t {
    if (rows.size() <= kScanned) {
      const auto is_it = [&key](const auto& row) { return row.first == key; };
      return static_cast<size_t>(std::find_if(rows.begin(), rows.end(), is_it) - rows.begin());
    }
    for (size_t i = index.size(); i < rows.size(); ++i) {
      index.emplace(rows[i].first, static_cast<uint32_t>(i));
    }
    const auto it = index.find(key);
    return it == index.end() ? rows.size() : it->second;
  };
  uint64_t replaced = 0;
  for (auto& [key, row] : newer) {
    bytes_ += BytesOf(row);
    const size_t place = find(key);
    if (place == rows.size()) {
      rows.emplace_back(std::move(key), std::move(row));
      continue;
    }
    bytes_ -= BytesOf(rows[place].second);
    rows[place].second = std::move(row);
    ++replaced;
  }
  return replaced;
}

uint64_t DirtyRows::Put(RowChanges newer) {
  uint64_t replaced = 0;
  if (newer.resource.has_value()) {
    if (rows_.resource.has_value()) {
      ++replaced;
    } else {
      bytes_ += kRowBytes;
    }
    rows_.resource = std::move(newer.resource);
  }
  replaced += PutAll(rows_.publications, publications_, std::move(newer.publications));
  replaced += PutAll(rows_.subscriptions, subscriptions_, std::move(newer.subscriptions));
  replaced += PutAll(rows_.watchers, watchers_, std::move(newer.watchers));
  replaced += PutAll(rows_.answers, answers_, std::move(newer.answers));
  replaced += PutAll(rows_.documents, documents_, std::move(newer.documents));
  return replaced;
}

RowChanges DirtyRows::Take() {
  DirtyRows taken(rows_.key);
  std::swap(taken, *this);
  return std::move(taken.rows_);
}

}  // namespace presence
