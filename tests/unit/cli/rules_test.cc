// Documents, from the command line.
#include <string>

#include <gmock/gmock.h>

#include "tests/unit/cli/cli_test_base.h"

namespace presence::cli {
namespace {

using testing::HasSubstr;

class RulesTest : public CliTest {
 protected:
  Outcome Put(const std::string& document, const std::string& options) {
    input_ = document;
    return Presencectl("rules put alice@example.com --file - " + options);
  }
};

TEST_F(RulesTest, WhatWasPutIsWhatOneGets) {
  EXPECT_EQ(Put("<a/>", "--name vacation").exit_code, 0);

  const Outcome raw = Presencectl("rules get alice@example.com --name vacation --raw");
  EXPECT_EQ(raw.exit_code, 0);
  EXPECT_EQ(raw.out, "<a/>");
  EXPECT_EQ(Presencectl("rules get alice@example.com").exit_code, 3) << "another name";
  EXPECT_EQ(Presencectl("rules delete alice@example.com --name vacation").exit_code, 0);
  EXPECT_EQ(Presencectl("rules get alice@example.com --name vacation").exit_code, 3);
}

TEST_F(RulesTest, ReplacesWhatIsThereUnlessToldOtherwise) {
  EXPECT_THAT(Put("<a/>", "").out, HasSubstr("stored  hard-state  index  etag etag-1"));
  EXPECT_EQ(Put("<b/>", "").exit_code, 0);

  const Outcome created = Put("<c/>", "--new");
  EXPECT_EQ(created.exit_code, 6);
  EXPECT_THAT(created.err, HasSubstr("try: presencectl rules list alice@example.com"));
  EXPECT_EQ(Put("<c/>", "--etag etag-1").exit_code, 6);
  EXPECT_EQ(Put("<c/>", "--etag etag-2").exit_code, 0);
  EXPECT_EQ(Put("<c/>", "--new --etag etag-3").exit_code, 2);
}

TEST_F(RulesTest, ADryRunSaysWhatIsWrongAndStoresNothing) {
  const Outcome bad = Put("<bad/>", "--dry-run");
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_EQ(bad.out, "bad-document  line 1  column 2  the root is not <presence>\n");
  EXPECT_EQ(Put("<a/>", "--dry-run").exit_code, 0);

  EXPECT_EQ(Presencectl("rules get alice@example.com").exit_code, 3);
}

TEST_F(RulesTest, AFileThatIsNotThereIsThree) {
  EXPECT_EQ(Presencectl("rules put alice@example.com --file /nowhere/at/all.xml").exit_code, 3);
}

}  // namespace
}  // namespace presence::cli
