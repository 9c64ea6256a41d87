#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "presence-core/packages/presence/pidf_composer.h"
#include "presence-core/packages/presence/pidf_validator.h"
#include "tests/unit/presence-core/packages/xml/golden.h"
#include "tests/unit/presence-core/packages/xml/schema_check.h"

namespace presence {
namespace {

// Each folder of tests/golden/presence is one composition: 1.xml is the strongest
// publication, 2.xml the next ..., and composed.xml what watchers of sip:alice@example.com are to
// see.
std::vector<std::string> Cases() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("tests/golden/presence")) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

TEST(GoldenPresenceTest, ComposesEachCaseAsWrittenDown) {
  const PresentityUri alice = *PresentityUri::Parse("sip:alice@example.com");
  const SchemaCheck schema("tests/golden/schemas/presence.xsd");
  ASSERT_GE(Cases().size(), 8u);
  for (const std::string& name : Cases()) {
    SCOPED_TRACE(name);
    const std::string folder = "tests/golden/presence/" + name + "/";
    std::vector<std::string> bodies;
    for (int i = 1; std::filesystem::exists(folder + std::to_string(i) + ".xml"); ++i) {
      bodies.push_back(ReadFile(folder + std::to_string(i) + ".xml"));
      EXPECT_TRUE(ValidatePidf(bodies.back(), XmlLimits()).ok()) << i;
    }
    ASSERT_GE(bodies.size(), 2u);

    const std::string composed =
        ComposePidf(alice, std::vector<std::string_view>(bodies.begin(), bodies.end()), XmlLimits(),
                    128 * 1024)
            .text;

    ExpectGolden(folder + "composed.xml", composed);
    // E07: valid by the schemas of RFC 3863, RFC 4479 and RFC 4480.
    EXPECT_TRUE(schema.Check(composed).ok()) << schema.Check(composed);
    EXPECT_TRUE(ValidatePidf(composed, XmlLimits()).ok());
  }
}

// Else the schemas might agree with everything.
TEST(GoldenPresenceTest, WouldNoticeADocumentThatIsNotValid) {
  const SchemaCheck schema("tests/golden/schemas/presence.xsd");
  for (const char* body :
       {"<presence xmlns='urn:ietf:params:xml:ns:pidf'/>",
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='e'><tuple id='t'/></presence>",
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='e'>"
        "<person xmlns='urn:ietf:params:xml:ns:pidf:data-model'/></presence>",
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='e'>"
        "<activities xmlns='urn:ietf:params:xml:ns:pidf:rpid'><sleeping-in/></activities>"
        "</presence>"}) {
    EXPECT_FALSE(schema.Check(body).ok()) << body;
  }
}

}  // namespace
}  // namespace presence
