#include "presence-core/model/request_key.h"

#include <gtest/gtest.h>

#include <string>

namespace presence {
namespace {

TEST(RequestKeyTest, IsTheSameForTheSameParts) {
  EXPECT_EQ(RequestKey::Of({"PUBLISH", "call", "1"}), RequestKey::Of({"PUBLISH", "call", "1"}));
}

TEST(RequestKeyTest, KnowsWhereAPartEnds) {
  EXPECT_NE(RequestKey::Of({"ab", "c"}), RequestKey::Of({"a", "bc"}));
  EXPECT_NE(RequestKey::Of({"a"}), RequestKey::Of({"a", ""}));
  EXPECT_NE(RequestKey::Of({}), RequestKey::Of({""}));
  EXPECT_NE(RequestKey::Of({std::string_view("\0", 1)}), RequestKey::Of({""}));
}

TEST(RequestKeyTest, IsEmptyOnlyWhenMadeOfNothing) {
  EXPECT_TRUE(RequestKey().empty());
  EXPECT_FALSE(RequestKey::Of({}).empty());
}

}  // namespace
}  // namespace presence
