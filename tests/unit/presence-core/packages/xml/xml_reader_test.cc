#include "presence-core/packages/xml/xml_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "presence-core/model/error.h"

namespace presence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Writes down what it is told; refuses an element <refuse>.
class Recorder final : public XmlHandler {
 public:
  Refusal OnStart(const XmlTag& tag) override {
    std::string line = fmt::format("<{{{}}}{}:{}", tag.name.uri, tag.name.prefix, tag.name.local);
    for (const XmlNamespace& n : tag.namespaces) line += fmt::format(" ns {}={}", n.prefix, n.uri);
    for (const XmlAttribute& a : tag.attributes) {
      line += fmt::format(" {{{}}}{}:{}={}", a.name.uri, a.name.prefix, a.name.local, a.value);
    }
    lines.push_back(line);
    return tag.name.local == "refuse" ? "as you wish" : "";
  }
  Refusal OnEnd() override {
    lines.push_back(">");
    return {};
  }
  Refusal OnText(std::string_view text) override {
    if (!lines.empty() && lines.back().starts_with("text ")) {
      lines.back() += text;
    } else {
      lines.push_back("text " + std::string(text));
    }
    return {};
  }

  std::vector<std::string> lines;
};

std::vector<std::string> Read(std::string_view text) {
  Recorder recorder;
  const absl::Status status = ReadXml(text, XmlLimits(), recorder);
  if (!status.ok()) recorder.lines.push_back(status.ToString());
  return recorder.lines;
}

absl::Status ErrorOf(std::string_view text) {
  Recorder recorder;
  return ReadXml(text, XmlLimits(), recorder);
}

TEST(XmlReaderTest, TellsNamesNamespacesAndText) {
  EXPECT_THAT(
      Read("<?xml version='1.0'?><a xmlns='urn:d' xmlns:p='urn:p' b='1' p:c='2'>x<p:e/>y</a>"),
      ElementsAre("<{urn:d}:a ns =urn:d ns p=urn:p {}:b=1 {urn:p}p:c=2", "text x", "<{urn:p}p:e",
                  ">", "text y", ">"));
}

TEST(XmlReaderTest, ReplacesTheFiveEntitiesAndCharacterReferences) {
  EXPECT_THAT(
      Read("<a b='&amp;&lt;&gt;&quot;&apos;&#65;&#x20AC;'>&amp;&lt;&gt;&quot;&apos;&#65;</a>"),
      ElementsAre("<{}:a {}:b=&<>\"'A\xE2\x82\xAC", "text &<>\"'A", ">"));
}

TEST(XmlReaderTest, ReadsCdataAsTextAndPassesOverComments) {
  EXPECT_THAT(Read("<!-- c --><a>x<!-- <b/> --><![CDATA[<&]]>y</a><!-- d -->"),
              ElementsAre("<{}:a", "text x<&y", ">"));
}

TEST(XmlReaderTest, NormalizesLinesAndAttributesAsXmlDoes) {
  EXPECT_THAT(Read("<a b='1\n2\t3'>x\r\ny\rz</a>"),
              ElementsAre("<{}:a {}:b=1 2 3", "text x\ny\nz", ">"));
}

TEST(XmlReaderTest, KnowsTheXmlPrefixByItself) {
  EXPECT_THAT(Read("<a xml:lang='en'/>"),
              ElementsAre("<{}:a {http://www.w3.org/XML/1998/namespace}xml:lang=en", ">"));
}

class RefusedXmlTest : public ::testing::TestWithParam<const char*> {};

// P17
TEST_P(RefusedXmlTest, IsABadDocumentWithItsPlace) {
  const absl::Status status = ErrorOf(GetParam());

  EXPECT_EQ(ReasonOf(status), ErrorReason::kBadDocument) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedXmlTest,
    ::testing::Values("", " ", "text", "<a>", "</a>", "<a></b>", "<a/><b/>", "<a/>text",
                      "<a b='1' b='2'/>", "<a xmlns:p='u:1' xmlns:q='u:1' p:b='1' q:b='2'/>",
                      "<p:a/>", "<a p:b='1'/>", "<a xmlns:p=''/>", "<a>&nbsp;</a>", "<a b='&x;'/>",
                      "<a>&amp</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>\x01</a>", "<a>\xFF</a>",
                      "<a>\xC3</a>", "<a>]]></a>", "<a><!-- -- --></a>", "<1/>",
                      "<a:b:c xmlns:a='u:1'/>", "<?xml version='1.0'?>",
                      "<?xml version='9'?x?><a/>", "<a><!-- ", "<a><![CDATA[",
                      "<a xmlns='u:1' xmlns='u:2'/>"));

TEST(XmlReaderTest, NamesThePlaceOfAnError) {
  const absl::Status status = ErrorOf("<a>\n  <b>\n  </c>\n</a>");

  EXPECT_EQ(MetadataOf(status)["line"], "3") << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("b"));
}

TEST(XmlReaderTest, StopsWhereTheHandlerRefusesAndSaysWhere) {
  Recorder recorder;

  const absl::Status status =
      ReadXml("<a>\n <b/>\n  <refuse c='1'/><d/></a>", XmlLimits(), recorder);

  EXPECT_EQ(status.message(), "line 3, column 3: as you wish");
  EXPECT_THAT(recorder.lines.back(), HasSubstr("refuse"));
}

// libxml2 by itself would go on with a tag whose prefix means nothing.
TEST(XmlReaderTest, TellsTheHandlerNothingOfAnElementWithAnUnknownPrefix) {
  Recorder recorder;

  EXPECT_FALSE(ReadXml("<a><p:b/><c/></a>", XmlLimits(), recorder).ok());

  EXPECT_THAT(recorder.lines, ElementsAre("<{}:a"));
}

TEST(XmlReaderTest, ReadsWellAfterAnythingItRefused) {
  const std::vector<std::string> expected = Read("<a xmlns:p='urn:p'><p:b c='1'>x</p:b></a>");
  for (const char* bad : {"<a xmlns:p='urn:q'><p:b", "<refuse/>", "<a><b><c>&x;", "", "<a>\xFF"}) {
    EXPECT_FALSE(ErrorOf(bad).ok());
    EXPECT_EQ(Read("<a xmlns:p='urn:p'><p:b c='1'>x</p:b></a>"), expected) << bad;
    EXPECT_FALSE(ErrorOf("<p:a/>").ok()) << "a prefix of another document";
  }
}

TEST(XmlReaderTest, ReadsOnManyThreadsAtOnce) {
  const std::string text = "<a xmlns='urn:d' b='&amp;'><c>x</c></a>";
  const std::vector<std::string> expected = Read(text);
  std::vector<int> wrong(4, 0);
  {
    std::vector<std::jthread> threads;
    for (int& count : wrong) {
      threads.emplace_back([&] {
        for (int i = 0; i < 300; ++i) {
          if (Read(text) != expected) ++count;
          if (ErrorOf("<a><b></a>").ok()) ++count;
        }
      });
    }
  }

  EXPECT_THAT(wrong, ElementsAre(0, 0, 0, 0));
}

}  // namespace
}  // namespace presence
