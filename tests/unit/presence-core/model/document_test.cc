#include "presence-core/model/document.h"

#include <gtest/gtest.h>

namespace presence {
namespace {

TEST(DocumentTest, SharesItsBytesWithItsCopies) {
  const Document document("text/plain", "hello");
  const Document copy = document;

  EXPECT_EQ(copy.body().data(), document.body().data());
  EXPECT_EQ(copy.content_type().data(), document.content_type().data());
}

TEST(DocumentTest, ComparesByWhatItSays) {
  EXPECT_EQ(Document("text/plain", "a"), Document("text/plain", "a"));
  EXPECT_NE(Document("text/plain", "a"), Document("text/plain", "b"));
  EXPECT_NE(Document("text/plain", "a"), Document("text/html", "a"));
  EXPECT_EQ(Document(), Document("", ""));
}

TEST(DocumentTest, IsEmptyWithoutABody) {
  EXPECT_TRUE(Document().empty());
  EXPECT_TRUE(Document("text/plain", "").empty());
  EXPECT_EQ(Document().body(), "");
  EXPECT_EQ(Document().content_type(), "");
}

}  // namespace
}  // namespace presence
