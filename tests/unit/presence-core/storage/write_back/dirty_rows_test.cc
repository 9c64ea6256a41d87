#include "presence-core/storage/write_back/dirty_rows.h"

#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence {
namespace {

RowChanges Changes() {
  RowChanges changes;
  changes.key = {*PresentityUri::FromText("alice@example.com"), *EventName::Parse("presence")};
  return changes;
}

RowChanges Published(PublicationId id, const std::string& body) {
  auto row = std::make_shared<Publication>();
  row->id = id;
  row->document = Document("text/plain", body);
  RowChanges changes = Changes();
  changes.publications.emplace_back(id, std::move(row));
  return changes;
}

// Short lists are looked through, long ones are indexed: both find the row to replace.
TEST(DirtyRowsTest, KeepsTheNewestOfEachKeyInShortListsAndLong) {
  for (const PublicationId count : {3u, 16u, 17u, 400u}) {
    DirtyRows rows(Changes().key);
    for (PublicationId id = 1; id <= count; ++id) EXPECT_EQ(rows.Put(Published(id, "older")), 0u);

    for (PublicationId id = count; id >= 1; --id) EXPECT_EQ(rows.Put(Published(id, "newer")), 1u);

    EXPECT_EQ(rows.size().rows, count);
    for (const auto& [id, row] : rows.rows().publications) {
      EXPECT_EQ(row->id, id);
      EXPECT_EQ(row->document.body(), "newer");
    }
  }
}

TEST(DirtyRowsTest, CountsRowsAndTheBytesTheyKeepAlive) {
  DirtyRows rows(Changes().key);
  RowChanges changes = Published(1, std::string(5000, 'x'));
  changes.resource = ResourceRow{};
  rows.Put(changes);
  const DirtySize with_body = rows.size();
  EXPECT_EQ(with_body.rows, 2u);
  EXPECT_EQ(with_body.bytes, DirtySize::Of(changes).bytes);

  RowChanges gone = Changes();
  gone.publications.emplace_back(1, nullptr);
  rows.Put(std::move(gone));

  EXPECT_EQ(rows.size().rows, 2u);
  EXPECT_EQ(rows.size().bytes, with_body.bytes - 5000);
}

TEST(DirtyRowsTest, IsEmptyAndUsableOnceTaken) {
  DirtyRows rows(Changes().key);
  for (PublicationId id = 1; id <= 40; ++id) rows.Put(Published(id, "taken"));

  const RowChanges taken = rows.Take();

  EXPECT_EQ(taken.publications.size(), 40u);
  EXPECT_EQ(taken.key, Changes().key);
  EXPECT_TRUE(rows.empty());
  EXPECT_EQ(rows.size().bytes, 0u);
  EXPECT_EQ(rows.Put(Published(1, "new")), 0u);
  EXPECT_EQ(rows.Take().key, Changes().key);
}

}  // namespace
}  // namespace presence
