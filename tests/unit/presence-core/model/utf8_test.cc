#include "presence-core/model/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace presence {
namespace {

TEST(Utf8Test, MeasuresWellFormedCharacters) {
  EXPECT_EQ(Utf8Length("a"), 1u);
  EXPECT_EQ(Utf8Length("\xC2\x80"), 2u);
  EXPECT_EQ(Utf8Length("\xE2\x82\xAC!"), 3u);
  EXPECT_EQ(Utf8Length("\xF0\x9F\x98\x80"), 4u);
  EXPECT_EQ(Utf8Length("\xF4\x8F\xBF\xBF"), 4u);
}

TEST(Utf8Test, FindsNoLengthForWhatRfc3629Forbids) {
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\x80", "\xED\xA0\x80", "\xF0\x8F\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82", "\xC3("}) {
    EXPECT_EQ(Utf8Length(bad), 0u);
  }
}

TEST(Utf8Test, CallsControlCharactersUnclean) {
  EXPECT_TRUE(IsCleanText("J\xC3\xB6rg <a b>"));
  EXPECT_TRUE(IsCleanText(""));
  EXPECT_FALSE(IsCleanText("a\tb"));
  EXPECT_FALSE(IsCleanText("a\x7F"));
  EXPECT_FALSE(IsCleanText(std::string_view("\0", 1)));
}

TEST(Utf8Test, PrintsUncleanBytesAsHexadecimal) {
  EXPECT_EQ(Printable("a\r\n\xFF"
                      "b\xC3\xB6"),
            "a\\x0d\\x0a\\xff"
            "b\xC3\xB6");
}

TEST(Utf8Test, CutsBetweenCharactersAndSaysSo) {
  EXPECT_EQ(Printable("abc", 3), "abc");
  EXPECT_EQ(Printable("abcd", 3), "abc...");
  EXPECT_EQ(Printable("ab\xC3\xB6", 3), "ab...");
  EXPECT_EQ(Printable("ab\xFF", 5), "ab...");
}

}  // namespace
}  // namespace presence
