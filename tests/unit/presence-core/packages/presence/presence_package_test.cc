#include "presence-core/packages/presence/presence_package.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "presence-core/model/error.h"
#include "presence-core/packages/presence/pidf_summary.h"
#include "presence-core/packages/presence/pidf_validator.h"
#include "tests/unit/presence-core/packages/xml/schema_check.h"

namespace presence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

PublicationPtr Published(std::string body) {
  auto publication = std::make_shared<Publication>();
  publication->document = Document("application/pidf+xml", std::move(body));
  return publication;
}

class PresencePackageTest : public ::testing::Test {
 protected:
  const PresencePackage package_{XmlLimits(), 128 * 1024};
  const PresentityUri alice_ = *PresentityUri::Parse("sip:alice@example.com");
};

// P16, S03: the facts of RFC 3856.
TEST_F(PresencePackageTest, HasTheTraitsOfRfc3856) {
  const EventTraits& traits = package_.traits();

  EXPECT_EQ(traits.name.text(), "presence");
  EXPECT_THAT(traits.content_types, ElementsAre("application/pidf+xml"));
  EXPECT_EQ(traits.publication.fallback, absl::Seconds(3600));
  EXPECT_EQ(traits.subscription.fallback, absl::Seconds(3600));
  EXPECT_EQ(traits.unknown_watcher, UnknownWatcher::kPending);
  EXPECT_EQ(traits.advised_notify_interval, absl::Seconds(5));
  EXPECT_FALSE(traits.keeps_etag);
}

TEST_F(PresencePackageTest, ValidatesByItsRulesAndLimits) {
  const Document fine("application/pidf+xml",
                      "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='e'/>");
  const PresencePackage strict({.max_bytes = 10}, 128 * 1024);

  EXPECT_TRUE(package_.ValidatePublication(alice_, fine).ok());
  EXPECT_EQ(ReasonOf(package_.ValidatePublication(alice_, Document("application/pidf+xml", "x"))),
            ErrorReason::kBadDocument);
  EXPECT_EQ(ReasonOf(strict.ValidatePublication(alice_, fine)), ErrorReason::kDocumentTooLarge);
}

// P11: closed if it was the last.
TEST_F(PresencePackageTest, ShowsAValidClosedDocumentWhenNothingIsPublished) {
  const SchemaCheck schema("tests/golden/schemas/presence.xsd");
  for (const char* uri : {"sip:alice@example.com", "sip:%22%3C%26%27@h.org", "tel:+12025550100"}) {
    const auto state = package_.NeutralState(*PresentityUri::Parse(uri));

    ASSERT_TRUE(state.has_value());
    EXPECT_EQ(state->content_type(), "application/pidf+xml");
    EXPECT_TRUE(ValidatePidf(state->body(), XmlLimits()).ok()) << state->body();
    EXPECT_TRUE(schema.Check(state->body()).ok()) << schema.Check(state->body());
    EXPECT_EQ(Summarize(state->body()).basic, PidfSummary::Basic::kClosed);
    EXPECT_THAT(std::string(state->body()), HasSubstr(PresentityUri::Parse(uri)->host()));
  }
}

TEST_F(PresencePackageTest, ComposesInTheOrderItIsGiven) {
  const std::string head =
      "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='e'><tuple id='t'>"
      "<status><basic>";
  const std::string tail = "</basic></status></tuple></presence>";
  const std::vector<PublicationPtr> publications = {Published(head + "closed" + tail),
                                                    Published(head + "open" + tail)};

  const Document composed = package_.Compose(alice_, publications).document;

  EXPECT_EQ(composed.content_type(), "application/pidf+xml");
  EXPECT_EQ(Summarize(composed.body()).basic, PidfSummary::Basic::kClosed);
  EXPECT_THAT(std::string(composed.body()), HasSubstr("entity=\"sip:alice@example.com\""));
}

TEST_F(PresencePackageTest, SurvivesPublicationsThatCannotBeRead) {
  const std::vector<PublicationPtr> publications = {Published("rubbish"), Published("<a/>")};

  EXPECT_TRUE(
      ValidatePidf(package_.Compose(alice_, publications).document.body(), XmlLimits()).ok());
}

TEST_F(PresencePackageTest, KnowsTheContactsOfADocument) {
  const Document document(
      "application/pidf+xml",
      "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='e'><tuple id='t'><status/>"
      "<contact priority='1'>\n sip:alice@192.0.2.1:5062;transport=tcp\n</contact></tuple>"
      "<tuple id='u'><status/><contact>tel:+12025550100</contact></tuple></presence>");

  EXPECT_TRUE(package_.MentionsContact(document, "sip:alice@192.0.2.1:5062;transport=tcp"));
  EXPECT_TRUE(package_.MentionsContact(document, "sip:alice@192.0.2.1:5062;Transport=TCP;x=y"));
  EXPECT_TRUE(package_.MentionsContact(document, "tel:+12025550100"));
  EXPECT_FALSE(package_.MentionsContact(document, "sip:alice@192.0.2.1"));
  EXPECT_FALSE(package_.MentionsContact(document, "e"));
  EXPECT_FALSE(package_.MentionsContact(Document("application/pidf+xml", "rubbish"), "e"));
}

}  // namespace
}  // namespace presence
