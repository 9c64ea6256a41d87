#include "presence-core/packages/xml/xml_writer.h"

#include <gtest/gtest.h>

#include <string>

#include "runtime/random.h"

namespace presence {
namespace {

TEST(XmlWriterTest, WritesADocument) {
  XmlWriter writer;
  writer.Indent().Start("a").Attribute("b", "1").Indent().TextElement("c", "x<y");
  writer.Indent().Start("d").End().Indent().Raw("<e/>").EndIndented();

  EXPECT_EQ(std::move(writer).Finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b=\"1\">\n  <c>x&lt;y</c>\n  <d/>\n"
            "  <e/>\n</a>\n");
}

TEST(XmlWriterTest, EscapesWhatWouldBeReadAsSomethingElse) {
  XmlWriter writer;
  writer.Start("a").Attribute("b", "&<>\"'\r\n\t").Text("&<>\"'\r\n\t]]>");

  const XmlElement root = *ParseXml(std::move(writer).Finish(), XmlLimits());

  EXPECT_EQ(*root.Find("", "b"), "&<>\"'\r\n\t");
  EXPECT_EQ(root.Text(), "&<>\"'\r\n\t]]>");
}

TEST(XmlWriterTest, ReplacesWhatXmlCannotHold) {
  std::string out;
  AppendXmlText(out, std::string_view("a\0\x01\xFF\xEF\xBF\xBE\xED\xA0\x80z", 11));

  const auto root = ParseXml("<a>" + out + "</a>", XmlLimits());

  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(root->Text().substr(0, 4), "a\xEF\xBF\xBD");
  EXPECT_TRUE(root->Text().ends_with("z"));
}

TEST(XmlWriterTest, BringsAnyBytesIntoAWellFormedDocument) {
  SeededRandom random(3);
  for (int round = 0; round < 500; ++round) {
    std::string bytes;
    for (uint64_t i = random.Below(40); i > 0; --i) {
      bytes.push_back(static_cast<char>(random.Below(256)));
    }
    XmlWriter writer;
    writer.Start("a").Attribute("b", bytes).Text(bytes);
    ASSERT_TRUE(ParseXml(std::move(writer).Finish(), XmlLimits()).ok()) << round;
  }
}

TEST(XmlWriterTest, WritesAnElementThatReadsBackTheSame) {
  const XmlElement element = *ParseXml(
      "<p:a xmlns:p='urn:p' xmlns='' b='&quot;&#10;' p:b='2' xml:lang='en'>x&lt;<c xmlns='urn:c'>"
      "<d/></c> y<![CDATA[]]]]>&gt;<p:e/></p:a>",
      XmlLimits());

  EXPECT_EQ(*ParseXml(WriteElement(element), XmlLimits()), element);
}

}  // namespace
}  // namespace presence
