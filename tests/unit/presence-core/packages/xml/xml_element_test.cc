#include "presence-core/packages/xml/xml_element.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace presence {
namespace {

using ::testing::SizeIs;

XmlElement Parse(std::string_view text) { return *ParseXml(text, XmlLimits()); }

TEST(XmlElementTest, HasNamesDeclarationsAttributesAndChildren) {
  const XmlElement root =
      Parse("<p:a xmlns:p='urn:p' xmlns='urn:d' b='1' p:b='2'>x<c/>y<d>z</d></p:a>");

  EXPECT_TRUE(root.Is("urn:p", "a"));
  EXPECT_EQ(root.prefix, "p");
  EXPECT_THAT(root.namespaces, SizeIs(2));
  EXPECT_EQ(*root.Find("", "b"), "1");
  EXPECT_EQ(*root.Find("urn:p", "b"), "2");
  EXPECT_EQ(root.Find("urn:d", "b"), nullptr) << "attributes take no default namespace";
  ASSERT_THAT(root.Elements(), SizeIs(2));
  EXPECT_TRUE(root.Elements()[0]->Is("urn:d", "c"));
  EXPECT_EQ(root.Text(), "xyz");
}

TEST(XmlElementTest, KeepsTextInOnePiece) {
  const XmlElement root = Parse("<a>x&amp;y<![CDATA[z]]><!-- c -->!</a>");

  ASSERT_THAT(root.children, SizeIs(1));
  EXPECT_EQ(*root.children[0].text(), "x&yz!");
}

TEST(XmlElementTest, HasNoTextWhereCdataIsEmpty) {
  EXPECT_EQ(Parse("<a><b/><![CDATA[]]></a>"), Parse("<a><b/></a>"));
}

TEST(XmlElementTest, ComparesByWhatItHolds) {
  EXPECT_EQ(Parse("<a b='1'><c/></a>"), Parse("<a  b=\"1\" ><c></c></a>"));
  EXPECT_NE(Parse("<a b='1'/>"), Parse("<a b='2'/>"));
  EXPECT_NE(Parse("<a><b/></a>"), Parse("<a><c/></a>"));
}

TEST(XmlElementTest, TrimsTheWhiteSpaceOfXml) {
  EXPECT_EQ(TrimXmlSpace(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(TrimXmlSpace(" \n"), "");
  EXPECT_EQ(TrimXmlSpace("\xC2\xA0x"), "\xC2\xA0x");
}

}  // namespace
}  // namespace presence
