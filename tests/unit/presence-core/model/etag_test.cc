#include "presence-core/model/etag.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace presence {
namespace {

// P04, P07: ours is a token of RFC 3261, and any other token may be asked for.
TEST(EtagTest, GeneratesTokensOfNinetySixBits) {
  SeededRandom random(1);
  std::set<Etag> etags;

  for (int i = 0; i < 1000; ++i) {
    const Etag etag = Etag::Generate(random);
    EXPECT_EQ(etag.text().size(), 24u);
    EXPECT_EQ(etag.text().find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(etags.insert(etag).second);
  }
  EXPECT_EQ(Etag("abc").text(), "abc");
  EXPECT_TRUE(Etag().empty());
}

}  // namespace
}  // namespace presence
