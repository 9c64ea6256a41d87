#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libxml/parser.h>
#include <time.h>

#include <string>

#include "absl/time/time.h"
#include "presence-core/model/error.h"
#include "presence-core/packages/xml/xml_element.h"

// P17: "XML bomb, external entity or oversize: refused within 50 ms, no file or network access."

namespace presence {
namespace {

using ::testing::AnyOf;

int g_loads = 0;

xmlParserInputPtr CountLoad(const char*, const char*, xmlParserCtxtPtr) {
  ++g_loads;
  return nullptr;
}

absl::Duration CpuTime() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return absl::DurationFromTimespec(now);
}

// Limits that let a big document through to the counting.
constexpr XmlLimits kLargeDocuments = {.max_bytes = 16 * 1024 * 1024};

class HostileXmlTest : public ::testing::Test {
 protected:
  HostileXmlTest() : loader_(xmlGetExternalEntityLoader()) {
    g_loads = 0;
    xmlSetExternalEntityLoader(CountLoad);
  }
  ~HostileXmlTest() override { xmlSetExternalEntityLoader(loader_); }

  // CPU time of this thread instead of real time: it does not depend on what else the machine does.
  void ExpectRefusedAtOnce(const std::string& text, const XmlLimits& limits = XmlLimits()) {
    const absl::Duration start = CpuTime();
    const auto root = ParseXml(text, limits);
    const absl::Duration spent = CpuTime() - start;

    EXPECT_THAT(ReasonOf(root.status()),
                AnyOf(ErrorReason::kBadDocument, ErrorReason::kDocumentTooLarge));
    EXPECT_LT(spent, absl::Milliseconds(50));
    EXPECT_EQ(g_loads, 0) << "something was fetched";
  }

 private:
  const xmlExternalEntityLoader loader_;
};

TEST_F(HostileXmlTest, RefusesABillionLaughs) {
  std::string text = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY l0 'lol'>";
  for (int i = 1; i < 10; ++i) {
    text += fmt::format("<!ENTITY l{} '", i);
    for (int k = 0; k < 10; ++k) text += fmt::format("&l{};", i - 1);
    text += "'>";
  }
  ExpectRefusedAtOnce(text + "]><a>&l9;</a>");
}

TEST_F(HostileXmlTest, RefusesQuadraticBlowup) {
  std::string text = "<!DOCTYPE a [<!ENTITY x '" + std::string(15'000, 'x') + "'>]><a>";
  for (int i = 0; i < 5'000; ++i) text += "&x;";
  ExpectRefusedAtOnce(text + "</a>");
  ExpectRefusedAtOnce(text + "</a>", kLargeDocuments);
}

TEST_F(HostileXmlTest, RefusesExternalEntitiesOfFilesAndNetworks) {
  for (const char* system : {"file:///etc/passwd", "/etc/passwd", "http://127.0.0.1:1/x",
                             "ftp://127.0.0.1:1/x", "file:///dev/random"}) {
    ExpectRefusedAtOnce(fmt::format("<!DOCTYPE a [<!ENTITY x SYSTEM '{}'>]><a>&x;</a>", system));
    ExpectRefusedAtOnce(fmt::format("<!DOCTYPE a SYSTEM '{}'><a/>", system));
    ExpectRefusedAtOnce(fmt::format("<!DOCTYPE a PUBLIC '-//X//Y' '{}'><a/>", system));
  }
}

TEST_F(HostileXmlTest, RefusesParameterEntities) {
  ExpectRefusedAtOnce("<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1:1/evil.dtd'> %p; ]><a/>");
  ExpectRefusedAtOnce("<!DOCTYPE a [<!ENTITY % p '<!ENTITY q \"r\">'> %p; ]><a>&q;</a>");
}

TEST_F(HostileXmlTest, DoesNotFollowXIncludesAndSchemaLocations) {
  const auto root = ParseXml(
      "<a xmlns:xi='http://www.w3.org/2001/XInclude' "
      "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
      "xsi:schemaLocation='urn:x file:///etc/passwd'>"
      "<xi:include href='file:///etc/passwd' parse='text'/></a>",
      XmlLimits());

  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(root->Text(), "");
  EXPECT_EQ(g_loads, 0);
}

// The document that cost Kamailio two seconds: a parser compares each attribute with all others.
TEST_F(HostileXmlTest, RefusesTwentyThousandAttributes) {
  std::string text = "<a";
  for (int i = 0; i < 20'000; ++i) text += fmt::format(" a{}=''", i);
  ExpectRefusedAtOnce(text + "/>");
  ExpectRefusedAtOnce(text + "/>", kLargeDocuments);
}

TEST_F(HostileXmlTest, RefusesTwentyThousandNamespaces) {
  std::string text = "<a";
  for (int i = 0; i < 20'000; ++i) text += fmt::format(" xmlns:n{0}='u:{0}'", i);
  ExpectRefusedAtOnce(text + "/>", kLargeDocuments);

  text = "<a";
  for (int i = 0; i < 20'000; ++i) text += " xmlns='u:x'";
  ExpectRefusedAtOnce(text + "/>", kLargeDocuments);
}

// After an error a parser may go on reading; what the counting did not see must not cost either.
TEST_F(HostileXmlTest, RefusesAttributesHiddenBehindAnError) {
  std::string hidden;
  for (int i = 0; i < 20'000; ++i) hidden += fmt::format(" a{}=\"\"", i);
  for (const char* front :
       {"<r><x \"/><y", "<r></r <y", "<?xml version='1.0' bad><y", "<r><x y='1\"/><y",
        "<r xmlns:p=''><p:x></q:x><y", "<r><!-- -- -- ><y", "<r>&bad;<y"}) {
    ExpectRefusedAtOnce(front + hidden + "/></r>", kLargeDocuments);
  }
}

TEST_F(HostileXmlTest, RefusesDeepNesting) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "<a>";
  ExpectRefusedAtOnce(text, kLargeDocuments);
  ExpectRefusedAtOnce(text.substr(0, 3 * 65));
}

TEST_F(HostileXmlTest, RefusesTooManyElements) {
  std::string text = "<a>";
  for (int i = 0; i < 4096; ++i) text += "<b/>";
  ExpectRefusedAtOnce(text + "</a>");
  ExpectRefusedAtOnce(text + "</a>", kLargeDocuments);
}

TEST_F(HostileXmlTest, RefusesOversizeUnread) {
  const auto root = ParseXml(std::string(10'000'000, '<'), XmlLimits());

  EXPECT_EQ(ReasonOf(root.status()), ErrorReason::kDocumentTooLarge);
  EXPECT_EQ(MetadataOf(root.status())["limit"], "32768");
}

TEST_F(HostileXmlTest, ReadsTheWorstThatIsAllowedQuickly) {
  std::string text = "<a>";
  while (text.size() < 31'000) {
    text += "<b";
    for (int i = 0; i < 64; ++i) text += fmt::format(" a{}=''", i);
    text += "/>";
  }
  text += "</a>";
  const absl::Duration start = CpuTime();

  EXPECT_TRUE(ParseXml(text, XmlLimits()).ok());

  EXPECT_LT(CpuTime() - start, absl::Milliseconds(50));
}

}  // namespace
}  // namespace presence
