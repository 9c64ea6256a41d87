#include "presence-core/packages/xml/xml_guard.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "presence-core/model/error.h"

namespace presence {
namespace {

using ::testing::HasSubstr;

constexpr XmlLimits kSmall = {
    .max_bytes = 200, .max_depth = 3, .max_elements = 5, .max_attributes = 2};

TEST(XmlGuardTest, CountsUpToItsLimitsAndNoFurther) {
  EXPECT_TRUE(CheckXmlLimits("<a><b><c/></b></a>", kSmall).ok());
  EXPECT_THAT(CheckXmlLimits("<a><b><c><d/></c></b></a>", kSmall).message(), HasSubstr("3 deep"));
  EXPECT_TRUE(CheckXmlLimits("<a><b/><b/><b/><b/></a>", kSmall).ok());
  EXPECT_THAT(CheckXmlLimits("<a><b/><b/><b/><b/><b/></a>", kSmall).message(),
              HasSubstr("5 elements"));
  EXPECT_TRUE(CheckXmlLimits("<a b='1' xmlns='2'/>", kSmall).ok());
  EXPECT_THAT(CheckXmlLimits("<a b='1' c='2' xmlns:d='3'/>", kSmall).message(),
              HasSubstr("2 attributes"));
  EXPECT_TRUE(CheckXmlLimits("<a>" + std::string(193, ' ') + "</a>", kSmall).ok());
  EXPECT_EQ(ReasonOf(CheckXmlLimits("<a>" + std::string(194, ' ') + "</a>", kSmall)),
            ErrorReason::kDocumentTooLarge);
}

TEST(XmlGuardTest, CountsSiblingsAsOneLevel) {
  EXPECT_TRUE(CheckXmlLimits("<a><b><c/></b><b></b></a>", kSmall).ok());
}

TEST(XmlGuardTest, IsNotMisledByMarkupInQuotesCommentsAndCdata) {
  EXPECT_TRUE(CheckXmlLimits("<a b='x=\"1\" y=2 />'><!-- <b><c><d e='='> --></a>", kSmall).ok());
  EXPECT_TRUE(CheckXmlLimits("<a><![CDATA[<!DOCTYPE x><b><c><d>]]></a>", kSmall).ok());
  EXPECT_TRUE(CheckXmlLimits("<a>x='1' y='2' z='3' a > b</a>", kSmall).ok());
}

TEST(XmlGuardTest, RefusesTagsThatTheParserMightReadInAnotherWay) {
  for (const char* text : {"<a b", "<a b=1/>", "<a b=>", "<a b='1", "<a 'b'/>", "<a <b/>",
                           "<a b='<'/>", "<a></a <b c='1' d='2' e='3'>", "</a b='1'>", "<a></a"}) {
    EXPECT_EQ(ReasonOf(CheckXmlLimits(text, kSmall)), ErrorReason::kBadDocument) << text;
  }
}

TEST(XmlGuardTest, TakesUtf8WithAndWithoutAMarkAndItsSubsetAscii) {
  for (const char* start : {"", "\xEF\xBB\xBF", "<?xml version='1.0'?>",
                            "<?xml version=\"1.0\" encoding=\"utf-8\" standalone='yes'?>",
                            "\xEF\xBB\xBF<?xml version='1.0' encoding='UTF-8'?>\r\n",
                            "<?xml version='1.0' encoding='US-ASCII'?>"}) {
    EXPECT_TRUE(CheckXmlLimits(std::string(start) + "<a/>", kSmall).ok()) << start;
  }
}

TEST(XmlGuardTest, RefusesOtherEncodings) {
  EXPECT_THAT(CheckXmlLimits("<?xml version='1.0' encoding='ISO-8859-1'?><a/>", kSmall).message(),
              HasSubstr("\"ISO-8859-1\" is not taken"));
  EXPECT_THAT(CheckXmlLimits("<?xml version='1.0' encoding='UTF-7'?><a/>", kSmall).message(),
              HasSubstr("UTF-7"));
  EXPECT_THAT(CheckXmlLimits(std::string("\xFF\xFE<\0a\0/\0>\0", 10), kSmall).message(),
              HasSubstr("UTF-16"));
  EXPECT_THAT(CheckXmlLimits(std::string("\xFE\xFF\0<\0a\0/\0>", 10), kSmall).message(),
              HasSubstr("UTF-16"));
  EXPECT_THAT(CheckXmlLimits(std::string("\0<\0a\0/\0>", 8), kSmall).message(), HasSubstr("NUL"));
}

TEST(XmlGuardTest, RefusesDoctypesAndProcessingInstructionsWhereverTheyAre) {
  for (const char* text :
       {"<!DOCTYPE a><a/>", "<a><!ENTITY x 'y'></a>", "<?xml-stylesheet ?><a/>",
        "<a><?php x ?></a>", "<a/><?xml version='1.0'?>", "<?xml version='1.0' <a b='?>'/>",
        "<?xml version='1.0'><a b='?>'/>", " <?xml version='1.0'?><a/>"}) {
    EXPECT_EQ(ReasonOf(CheckXmlLimits(text, kSmall)), ErrorReason::kBadDocument) << text;
  }
}

TEST(XmlGuardTest, NamesLineAndColumn) {
  const absl::Status status = CheckXmlLimits("<a>\n  <!DOCTYPE b>\n</a>", kSmall);

  EXPECT_EQ(MetadataOf(status)["line"], "2");
  EXPECT_EQ(MetadataOf(status)["column"], "3");
}

TEST(XmlGuardTest, LeavesTextsThatEndEarlyToTheParser) {
  EXPECT_TRUE(CheckXmlLimits("", kSmall).ok());
  EXPECT_TRUE(CheckXmlLimits("<a><!-- ", kSmall).ok());
  EXPECT_TRUE(CheckXmlLimits("<a><![CDATA[ ", kSmall).ok());
}

}  // namespace
}  // namespace presence
