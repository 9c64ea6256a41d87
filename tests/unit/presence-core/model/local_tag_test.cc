#include "presence-core/model/local_tag.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace presence {
namespace {

TEST(LocalTagTest, ComesBackFromItsText) {
  SeededRandom random(1);
  for (uint32_t hash : {0u, 1u, 0x00ABCDEFu, 0xFFFFFFFFu}) {
    const LocalTag tag = LocalTag::Generate(hash, random);

    EXPECT_EQ(tag.text().size(), 32u);
    EXPECT_EQ(tag.resource_hash(), hash);
    EXPECT_EQ(LocalTag::Parse(tag.text()), tag);
  }
}

TEST(LocalTagTest, NeverRepeatsWithinAResource) {
  SeededRandom random(1);
  std::set<LocalTag> tags;

  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(tags.insert(LocalTag::Generate(7, random)).second);
}

// S07: a To-tag that is none of ours is an unknown dialog, not a fault.
TEST(LocalTagTest, IsNothingForATextOfSomebodyElse) {
  const std::string ours = "0123456789abcdef0123456789abcdef";
  ASSERT_TRUE(LocalTag::Parse(ours).has_value());

  EXPECT_FALSE(LocalTag::Parse("").has_value());
  EXPECT_FALSE(LocalTag::Parse(ours.substr(1)).has_value());
  EXPECT_FALSE(LocalTag::Parse(ours + "0").has_value());
  EXPECT_FALSE(LocalTag::Parse("0123456789ABCDEF0123456789abcdef").has_value());
  EXPECT_FALSE(LocalTag::Parse("0x23456789abcdef0123456789abcdef").has_value());
  EXPECT_FALSE(LocalTag::Parse("-123456789abcdef0123456789abcdef").has_value());
  EXPECT_FALSE(LocalTag::Parse("+123456701234567 123456701234567").has_value());
  EXPECT_FALSE(LocalTag::Parse(std::string(32, '\0')).has_value());
}

TEST(LocalTagTest, IsSixteenBytes) { EXPECT_EQ(sizeof(LocalTag), 16u); }

}  // namespace
}  // namespace presence
