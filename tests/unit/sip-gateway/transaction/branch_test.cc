#include "sip-gateway/transaction/branch.h"

#include <gtest/gtest.h>

#include "runtime/random.h"

namespace presence::sip {
namespace {

TEST(BranchTest, IsTheMagicCookieAndNinetySixBits) {
  SeededRandom random(1);

  const std::string text = Branch::New(random).ToString();

  EXPECT_TRUE(text.starts_with("z9hG4bK"));
  EXPECT_EQ(text.size(), 7u + 24u);
}

TEST(BranchTest, ReadsWhatItWrites) {
  SeededRandom random(2);
  for (int i = 0; i < 1000; ++i) {
    const Branch branch = Branch::New(random);
    ASSERT_EQ(Branch::Parse(branch.ToString()), branch);
  }
}

TEST(BranchTest, DoesNotTakeAnotherBranchForItsOwn) {
  EXPECT_FALSE(Branch::Parse(""));
  EXPECT_FALSE(Branch::Parse("z9hG4bK"));
  EXPECT_FALSE(Branch::Parse("z9hG4bK0123456789abcdef0123456"));    // too short
  EXPECT_FALSE(Branch::Parse("z9hG4bK0123456789abcdef012345678"));  // too long
  EXPECT_FALSE(Branch::Parse("z9hG4bK0123456789abcdeg01234567"));   // no digit
  EXPECT_FALSE(Branch::Parse("z9hG4bK-123456789abcdef01234567"));
  EXPECT_FALSE(Branch::Parse("A9hG4bK0123456789abcdef01234567"));
}

TEST(BranchTest, FindsItselfInAQuotedRequestThatLostItsEnd) {
  const std::string branch = "z9hG4bK0123456789abcdef01234567";
  const std::string quoted =
      "NOTIFY sip:bob@192.0.2.9;branch=z9hG4bKffffffffffffffffffffffff SIP/2.0\r\n"
      "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=" +
      branch + ";x";

  EXPECT_EQ(Branch::FindIn(quoted), Branch::Parse(branch));
  EXPECT_FALSE(Branch::FindIn(quoted.substr(0, quoted.size() - 3)));
  EXPECT_FALSE(Branch::FindIn("NOTIFY sip:bob@192.0.2.9;branch=" + branch));
  EXPECT_FALSE(Branch::FindIn(""));
}

}  // namespace
}  // namespace presence::sip
