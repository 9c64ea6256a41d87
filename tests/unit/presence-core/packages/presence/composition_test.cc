#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "presence-core/packages/presence/pidf_composer.h"
#include "presence-core/packages/presence/pidf_names.h"
#include "presence-core/packages/presence/pidf_validator.h"
#include "presence-core/packages/xml/xml_element.h"

// The rules of pidf_composer.h, by their numbers.

namespace presence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string Presence(std::string_view children, std::string_view root_attributes = "") {
  return fmt::format(
      "<presence xmlns='urn:ietf:params:xml:ns:pidf' "
      "xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' entity='pres:somebody@else' "
      "{}>{}</presence>",
      root_attributes, children);
}

std::string Tuple(std::string_view id, std::string_view basic) {
  return fmt::format("<tuple id='{}'><status><basic>{}</basic></status></tuple>", id, basic);
}

std::string Compose(const std::vector<std::string>& bodies, size_t max_bytes = 128 * 1024) {
  return ComposePidf(*PresentityUri::Parse("sip:alice@example.com"),
                     std::vector<std::string_view>(bodies.begin(), bodies.end()), XmlLimits(),
                     max_bytes)
      .text;
}

// Each child of the composed root in a few words: name, id, text.
std::vector<std::string> Parts(const std::vector<std::string>& bodies,
                               size_t max_bytes = 128 * 1024) {
  const auto root = ParseXml(Compose(bodies, max_bytes), {.max_bytes = 1 << 20});
  std::vector<std::string> parts;
  for (const XmlElement* child : root->Elements()) {
    const std::string* id = child->Find("", "id");
    parts.push_back(fmt::format("{} {} {}", child->local, id == nullptr ? "" : *id, child->Text()));
  }
  return parts;
}

// P05
TEST(CompositionTest, Rule1KeepsTuplesOfDifferentIds) {
  EXPECT_THAT(Parts({Presence(Tuple("a", "open")), Presence(Tuple("b", "closed"))}),
              ElementsAre("tuple a open", "tuple b closed"));
}

// E07: duplicate tuple ids resolve by the order given, which is priority, then time.
TEST(CompositionTest, Rule1LetsTheStrongerOfTwoWithOneIdWinWhole) {
  const std::string strong = Presence(
      "<tuple id='a'><status><basic>closed</basic></status></tuple>"
      "<dm:person id='p'><dm:note>strong</dm:note></dm:person>"
      "<dm:device id='d'><dm:deviceID>urn:s</dm:deviceID></dm:device>");
  const std::string weak = Presence(
      "<tuple id=' a '><status><basic>open</basic></status><note>weak</note></tuple>"
      "<dm:person id='p'><dm:note>weak</dm:note></dm:person>"
      "<dm:device id='d'><dm:deviceID>urn:w</dm:deviceID></dm:device>");

  EXPECT_THAT(Parts({strong, weak}),
              ElementsAre("tuple a closed", "person p strong", "device d urn:s"));
  EXPECT_THAT(Parts({weak, strong}),
              ElementsAre("tuple  a  openweak", "person p weak", "device d urn:w"));
}

TEST(CompositionTest, Rule2GivesANewIdWhereDifferentThingsShareOne) {
  EXPECT_THAT(Parts({Presence(Tuple("x", "open")), Presence("<dm:person id='x'/>"),
                     Presence("<dm:device id='x'><dm:deviceID>u</dm:deviceID></dm:device>")}),
              ElementsAre("tuple x open", "person x-person ", "device x-device u"));
}

TEST(CompositionTest, Rule2StillKnowsAThingUnderItsNewId) {
  EXPECT_THAT(Parts({Presence(Tuple("x", "open")),
                     Presence("<dm:person id='x'><dm:note>second</dm:note></dm:person>"),
                     Presence("<dm:person id='x'><dm:note>third</dm:note></dm:person>")}),
              ElementsAre("tuple x open", "person x-person second"));
}

TEST(CompositionTest, Rule2TakesNoIdThatSomebodyElsePublished) {
  EXPECT_THAT(Parts({Presence(Tuple("x", "open")), Presence("<dm:person id='x'/>"),
                     Presence(Tuple("x-person", "closed"))}),
              ElementsAre("tuple x open", "tuple x-person closed", "person x-person-2 "));
}

// RFC 4479 §3.5: several occurrences are how ambiguity is written down.
TEST(CompositionTest, Rule3KeepsOccurrencesOfOneThing) {
  const std::string contact = "<status/><contact>sip:alice@example.com</contact>";
  const std::string id = "<dm:deviceID>urn:1</dm:deviceID>";

  EXPECT_THAT(Parts({Presence("<tuple id='a'>" + contact +
                              "</tuple><dm:person id='p'/>"
                              "<dm:device id='d'>" +
                              id + "</dm:device>"),
                     Presence("<tuple id='b'>" + contact +
                              "</tuple><dm:person id='q'/>"
                              "<dm:device id='e'>" +
                              id + "</dm:device>")}),
              ElementsAre("tuple a sip:alice@example.com", "tuple b sip:alice@example.com",
                          "person p ", "person q ", "device d urn:1", "device e urn:1"));
}

TEST(CompositionTest, Rule4KeepsEachNoteOnce) {
  EXPECT_THAT(Parts({Presence("<note xml:lang='en'>Lunch</note><note>Away</note>"),
                     Presence("<note xml:lang='en'>Lunch</note><note xml:lang='de'>Lunch</note>")}),
              ElementsAre("note  Lunch", "note  Away", "note  Lunch"));
}

// RFC 4479 §5: the notes of a document speak for its persons without notes, and for no others.
TEST(CompositionTest, Rule4GivesAPersonTheNotesOfItsOwnDocument) {
  const std::vector<std::string> parts =
      Parts({Presence("<note>Lunch</note><dm:person id='p'>"
                      "<dm:timestamp>2001-10-27T16:49:29Z</dm:timestamp></dm:person>"),
             Presence("<note>Travel</note><dm:person id='q'/>"
                      "<dm:person id='r'><dm:note>own</dm:note></dm:person>")});

  EXPECT_THAT(parts,
              ElementsAre("note  Lunch", "note  Travel", "person p Lunch2001-10-27T16:49:29Z",
                          "person q Travel", "person r own"));
}

TEST(CompositionTest, Rule4LeavesPersonsAloneWhileOnlyOneDocumentHasNotes) {
  EXPECT_THAT(
      Parts({Presence("<note>Lunch</note><dm:person id='p'/>"), Presence(Tuple("a", "open"))}),
      ElementsAre("tuple a open", "note  Lunch", "person p "));
}

TEST(CompositionTest, Rule5KeepsExtensionsOnceAndByTheirId) {
  const std::string declared = "xmlns:x='urn:example:x'";

  EXPECT_THAT(
      Parts({Presence("<x:a>1</x:a><x:b id='i'>strong</x:b>", declared),
             Presence("<x:a>1</x:a><x:a>2</x:a><x:b id='i'>weak</x:b><x:b id='j'/>", declared)}),
      ElementsAre("a  1", "b i strong", "a  2", "b j "));
}

TEST(CompositionTest, Rule6OrdersAsTheSchemaDoesAndTheStrongestFirst) {
  EXPECT_THAT(Parts({Presence("<dm:device id='d1'><dm:deviceID/></dm:device><x:x xmlns:x='urn:x'/>"
                              "<dm:person id='p1'/><note>n1</note>" +
                              Tuple("z", "open")),
                     Presence("<note>n2</note>" + Tuple("a", "open") +
                              "<dm:person id='p2'><dm:note>o</dm:note></dm:person>")}),
              ElementsAre("tuple z open", "tuple a open", "note  n1", "note  n2", "person p1 n1",
                          "person p2 o", "device d1 ", "x  "));
}

TEST(CompositionTest, Rule7NamesThePresentityAndPassesTheLanguageOn) {
  const std::string composed =
      Compose({Presence("<note>Mahlzeit</note>", "xml:lang='de'"), Presence(Tuple("a", "open"))});
  const XmlElement root = *ParseXml(composed, XmlLimits());

  EXPECT_EQ(*root.Find("", "entity"), "sip:alice@example.com");
  EXPECT_EQ(root.Find(kXmlUri, "lang"), nullptr);
  EXPECT_EQ(*root.Elements()[1]->Find(kXmlUri, "lang"), "de");
}

TEST(CompositionTest, Rule8DeclaresSharedPrefixesOnce) {
  const std::string one = Presence("<x:a/>", "xmlns:x='urn:example:x'");
  const std::string two = Presence("<x:b/>", "xmlns:x='urn:example:x'");

  const std::string composed = Compose({one, two});

  EXPECT_THAT(composed, HasSubstr("<x:a/>"));
  EXPECT_THAT(composed, HasSubstr("<x:b/>"));
  EXPECT_EQ(composed.find("urn:example:x"), composed.rfind("urn:example:x"));
}

TEST(CompositionTest, Rule8KeepsApartPrefixesThatMeanDifferentThings) {
  const std::string one = Presence("<x:a/>", "xmlns:x='urn:example:one'");
  const std::string two = Presence("<x:a/>" + Tuple("t", "open"), "xmlns:x='urn:example:two'");

  const XmlElement root = *ParseXml(Compose({one, two}), XmlLimits());

  EXPECT_TRUE(root.Elements()[1]->Is("urn:example:one", "a"));
  EXPECT_TRUE(root.Elements()[2]->Is("urn:example:two", "a"));
  EXPECT_THAT(root.Elements()[0]->namespaces, IsEmpty()) << "a tuple that does not use the prefix";
}

TEST(CompositionTest, Rule8KeepsPrefixesThatOnlyValuesUse) {
  const std::string one = Presence("<tuple id='a' x:kind='q:phone'><status/></tuple>",
                                   "xmlns:q='urn:example:one' xmlns:x='urn:example:x'");
  const std::string two =
      Presence("<tuple id='b'><status/><note>q:phone</note></tuple>", "xmlns:q='urn:example:two'");

  const std::string composed = Compose({one, two});

  EXPECT_THAT(composed, HasSubstr("x:kind=\"q:phone\""));
  EXPECT_THAT(composed, HasSubstr("xmlns:q=\"urn:example:one\""));
  EXPECT_THAT(composed, HasSubstr("xmlns:q=\"urn:example:two\""));
}

TEST(CompositionTest, Rule8BringsDocumentsOfOtherDefaultNamespacesIn) {
  const std::string prefixed =
      "<p:presence xmlns:p='urn:ietf:params:xml:ns:pidf' entity='e'><p:tuple id='a'>"
      "<p:status><p:basic>open</p:basic></p:status><plain/></p:tuple></p:presence>";
  const std::string other =
      "<p:presence xmlns:p='urn:ietf:params:xml:ns:pidf' xmlns='urn:example:d' entity='e'>"
      "<p:tuple id='b'><p:status/><plain/></p:tuple></p:presence>";

  const XmlElement root = *ParseXml(Compose({prefixed, other, Presence("")}), XmlLimits());

  EXPECT_TRUE(root.Is(kPidfUri, "presence"));
  EXPECT_TRUE(root.Elements()[0]->Elements()[1]->Is("", "plain"));
  EXPECT_TRUE(root.Elements()[1]->Elements()[1]->Is("urn:example:d", "plain"));
}

TEST(CompositionTest, Rule9CountsWhatIsLeftOut) {
  std::vector<std::string> bodies;
  for (int i = 0; i < 40; ++i) {
    bodies.push_back(Presence(fmt::format("<tuple id='t{}'><status/><note>{}</note></tuple>", i,
                                          std::string(1000, 'x'))));
  }
  const std::vector<std::string_view> views(bodies.begin(), bodies.end());
  const PresentityUri alice = *PresentityUri::Parse("sip:alice@example.com");

  const ComposedPidf cut = ComposePidf(alice, views, XmlLimits(), 8 * 1024);
  const ComposedPidf whole = ComposePidf(alice, views, XmlLimits(), 128 * 1024);

  const auto root = ParseXml(cut.text, {.max_bytes = 1 << 20});
  EXPECT_EQ(root->Elements().size() + cut.left_out, 40u);
  EXPECT_EQ(whole.left_out, 0u);
}

TEST(CompositionTest, Rule9KeepsTheStrongestUnderTheBound) {
  std::vector<std::string> bodies;
  for (int i = 0; i < 40; ++i) {
    bodies.push_back(Presence(fmt::format("<tuple id='t{}'><status/><note>{}</note></tuple>", i,
                                          std::string(1000, 'x'))));
  }

  const std::string composed = Compose(bodies, 8 * 1024);

  EXPECT_LE(composed.size(), 8u * 1024);
  EXPECT_GE(composed.size(), 6u * 1024);
  EXPECT_TRUE(ValidatePidf(composed, XmlLimits()).ok());
  EXPECT_THAT(composed, HasSubstr("id=\"t0\""));
  EXPECT_THAT(composed, Not(HasSubstr("id=\"t39\"")));
}

// Prefixes that clash are declared at each element that mentions them: a small document must not
// become a large one that way.
TEST(CompositionTest, Rule9BoundsWhatClashingPrefixesCost) {
  std::string tuples;
  for (int i = 0; i < 300; ++i)
    tuples += fmt::format("<tuple id='t{}' a='q:'><status/></tuple>", i);
  const std::string one = Presence(tuples, "xmlns:q='urn:1:" + std::string(15'000, 'u') + "'");
  const std::string two = Presence("", "xmlns:q='urn:2'");

  const std::string composed = Compose({one, two}, 64 * 1024);

  EXPECT_LE(composed.size(), 64u * 1024);
  EXPECT_TRUE(ValidatePidf(composed, {.max_bytes = 64 * 1024}).ok());
}

TEST(CompositionTest, KeepsExtensionsInsideElementsAsTheyAre) {
  const std::string inside =
      "<tuple id='t'><status><basic>open</basic><x:y xmlns:x='urn:example:x' x:a='&quot;&amp;'>"
      "<![CDATA[<raw>]]> &#169;<x:z/></x:y></status></tuple>";

  const XmlElement before = *ParseXml(Presence(inside), XmlLimits());
  const XmlElement after = *ParseXml(Compose({Presence(inside), Presence("")}), XmlLimits());

  EXPECT_EQ(*after.Elements()[0], *before.Elements()[0]);
}

TEST(CompositionTest, MakesAnEmptyDocumentOfNothing) {
  EXPECT_THAT(Parts({}), IsEmpty());
  EXPECT_TRUE(ValidatePidf(Compose({}), XmlLimits()).ok());
}

}  // namespace
}  // namespace presence
