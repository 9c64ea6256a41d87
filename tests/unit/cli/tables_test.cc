#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/output/printable.h"
#include "cli/output/table.h"
#include "tests/unit/cli/cli_test_base.h"

namespace presence::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Printed(const Table& table, const Terminal& terminal) {
  std::ostringstream out;
  table.Print(out, terminal);
  return out.str();
}

Table TwoRows() {
  Table table({{"NAME"}, {"NOTE"}, {"COUNT", Table::Align::kRight}});
  table.Add({"alice", "a long note about nothing", "1"});
  table.Add({"bob", Cell("short", Tone::kGood), "12345"});
  return table;
}

TEST(TableTest, AlignsColumnsAndLeavesNoBlanksAtTheEnd) {
  EXPECT_EQ(Printed(TwoRows(), {}),
            "NAME   NOTE                       COUNT\n"
            "alice  a long note about nothing      1\n"
            "bob    short                      12345\n");
}

TEST(TableTest, ShrinksTheWidestColumnToTheTerminal) {
  EXPECT_EQ(Printed(TwoRows(), {.columns = 28}),
            "NAME   NOTE            COUNT\n"
            "alice  a long note a\xE2\x80\xA6      1\n"
            "bob    short           12345\n");
}

TEST(TableTest, NeverCutsAColumnToNothing) {
  EXPECT_THAT(Printed(TwoRows(), {.columns = 3}), HasSubstr("a lon\xE2\x80\xA6"));
}

TEST(TableTest, ColoursOnlyWhereTheTerminalHasThem) {
  EXPECT_THAT(Printed(TwoRows(), {.columns = 80}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(Printed(TwoRows(), {.columns = 80, .colour = true}),
              HasSubstr("\x1b[32mshort\x1b[0m  "));
}

TEST(TableTest, CountsWideAndCombiningCharactersAsTheTerminalDoes) {
  EXPECT_EQ(DisplayWidth("\xE4\xBD\xA0\xE5\xA5\xBD"), 4);
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1);
  EXPECT_EQ(CutToWidth("\xE4\xBD\xA0\xE5\xA5\xBD", 3), "\xE4\xBD\xA0\xE2\x80\xA6");
}

TEST(PrintableTest, DisarmsWhatWouldSteerATerminal) {
  EXPECT_EQ(Printable("a\nb\tc"), "a b c");
  EXPECT_EQ(Printable("\x1b[2J"), "\xEF\xBF\xBD[2J");
  EXPECT_EQ(Printable("\xC2\x9B"
                      "2J"),
            "\xEF\xBF\xBD"
            "2J");
  EXPECT_EQ(Printable("\xE2\x80\xAE"
                      "abc"),
            "\xEF\xBF\xBD"
            "abc");
  EXPECT_EQ(Printable("\xff\xC3\xA9"), "\xEF\xBF\xBD\xC3\xA9");
}

class TerminalTest : public CliTest {};

TEST_F(TerminalTest, ListsFitTheTerminalAndPipesGetFullText) {
  const Outcome pipe = Presencectl("subscription list");
  terminal_.columns = 60;
  const Outcome narrow = Presencectl("subscription list");

  EXPECT_THAT(pipe.out, HasSubstr("carol@example.com"));
  EXPECT_THAT(narrow.out, HasSubstr("\xE2\x80\xA6"));
  EXPECT_THAT(narrow.out, Not(HasSubstr("carol@example.com")));
}

TEST_F(TerminalTest, StatesHaveColoursOnlyOnATerminalThatHasThem) {
  EXPECT_THAT(Presencectl("watcher list alice@example.com").out, Not(HasSubstr("\x1b")));
  terminal_.colour = true;
  EXPECT_THAT(Presencectl("watcher list alice@example.com").out,
              HasSubstr("\x1b[32mactive\x1b[0m"));
}

}  // namespace
}  // namespace presence::cli
