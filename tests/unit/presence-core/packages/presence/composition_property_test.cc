#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "presence-core/packages/presence/pidf_composer.h"
#include "presence-core/packages/presence/pidf_validator.h"
#include "presence-core/packages/xml/xml_element.h"
#include "runtime/random.h"

// What holds for any publications, tried on thousands of made-up ones.

namespace presence {
namespace {

constexpr XmlLimits kWide = {
    .max_bytes = 1 << 20, .max_depth = 64, .max_elements = 100'000, .max_attributes = 256};

std::string ComposeAll(const std::vector<std::string>& bodies) {
  return ComposePidf(*PresentityUri::Parse("sip:alice@example.com"),
                     std::vector<std::string_view>(bodies.begin(), bodies.end()), XmlLimits(),
                     1 << 20)
      .text;
}

// An element by what it means: names with their namespaces, attributes sorted, no prefixes.
std::string Meaning(const XmlElement& element) {
  std::string text = fmt::format("<{{{}}}{}", element.uri, element.local);
  std::map<std::string, std::string> attributes;
  for (const auto& a : element.attributes) attributes[a.uri + " " + a.local] = a.value;
  for (const auto& [name, value] : attributes) text += fmt::format(" {}='{}'", name, value);
  text += ">";
  for (const XmlNode& node : element.children) {
    text += node.text() != nullptr ? *node.text() : Meaning(*node.element());
  }
  return text + "</>";
}

std::vector<std::string> Meanings(std::string_view document) {
  std::vector<std::string> meanings;
  const auto root = ParseXml(document, kWide);
  for (const XmlElement* child : root->Elements()) meanings.push_back(Meaning(*child));
  std::sort(meanings.begin(), meanings.end());
  return meanings;
}

// Makes documents. Ids come from a pool of `ids`, so a small pool makes conflicts.
class Publisher {
 public:
  Publisher(uint64_t seed, uint64_t ids) : random_(seed), ids_(ids) {}

  std::string Document() {
    std::map<std::string, bool> used;
    const std::string dm = random_.Chance(50) ? "dm" : "d";
    // One prefix for one of two namespaces: they clash between documents, not within one.
    const int x = random_.Chance(50) ? 1 : 2;
    std::string children;
    for (uint64_t i = random_.Below(5); i > 0; --i) {
      const std::string id = fmt::format("i{}", random_.Below(ids_));
      if (std::exchange(used[id], true)) continue;
      children += Occurrence(id, dm);
    }
    return fmt::format(
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' "
        "xmlns:{}='urn:ietf:params:xml:ns:pidf:data-model'"
        " xmlns:x='urn:example:{}' entity='pres:a@h.org'>{}</presence>",
        dm, x, children);
  }

 private:
  std::string Occurrence(const std::string& id, const std::string& dm) {
    const uint64_t salt = random_.Below(1000);
    switch (random_.Below(5)) {
      case 0:
        return fmt::format(
            "<{0}:person id='{1}'><x:mood a='x:{2}'/><{0}:note>{2}</{0}:note></{0}:person>", dm, id,
            salt);
      case 1:
        return fmt::format("<{0}:device id='{1}'><{0}:deviceID>urn:{2}</{0}:deviceID></{0}:device>",
                           dm, id, salt);
      case 2:
        return fmt::format("<x:extra>{}</x:extra>", salt);
      default:
        return fmt::format(
            "<tuple id='{}'><status><basic>{}</basic><x:y x:a='&lt;'>{}</x:y></status></tuple>", id,
            random_.Chance(50) ? "open" : "closed", salt);
    }
  }

  SeededRandom random_;
  const uint64_t ids_;
};

std::vector<std::string> Documents(Publisher& publisher, size_t count) {
  std::vector<std::string> documents;
  for (size_t i = 0; i < count; ++i) documents.push_back(publisher.Document());
  return documents;
}

TEST(CompositionPropertyTest, AlwaysMakesAValidDocument) {
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    Publisher publisher(seed, 6);
    const std::vector<std::string> documents = Documents(publisher, 2 + seed % 4);
    for (const std::string& document : documents) {
      ASSERT_TRUE(ValidatePidf(document, XmlLimits()).ok()) << document;
    }

    const std::string composed = ComposeAll(documents);

    ASSERT_TRUE(ValidatePidf(composed, kWide).ok()) << seed << composed;
  }
}

TEST(CompositionPropertyTest, MakesTheSameBytesOfTheSameDocuments) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Publisher publisher(seed, 6);
    const std::vector<std::string> documents = Documents(publisher, 3);

    ASSERT_EQ(ComposeAll(documents), ComposeAll(documents)) << seed;
  }
}

TEST(CompositionPropertyTest, MakesTheSameElementsInAnyOrderWhereNothingConflicts) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    Publisher publisher(seed, 1'000'000'000'000);
    std::vector<std::string> documents = Documents(publisher, 3);
    std::sort(documents.begin(), documents.end());
    const std::vector<std::string> meanings = Meanings(ComposeAll(documents));

    while (std::next_permutation(documents.begin(), documents.end())) {
      ASSERT_EQ(Meanings(ComposeAll(documents)), meanings) << seed;
    }
  }
}

TEST(CompositionPropertyTest, KeepsAllOfTheStrongest) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    Publisher publisher(seed, 6);
    const std::vector<std::string> documents = Documents(publisher, 3);

    const std::vector<std::string> composed = Meanings(ComposeAll(documents));

    std::vector<std::string> strongest = Meanings(documents.front());
    strongest.erase(std::unique(strongest.begin(), strongest.end()), strongest.end());
    ASSERT_TRUE(std::includes(composed.begin(), composed.end(), strongest.begin(), strongest.end()))
        << seed << ComposeAll(documents);
  }
}

TEST(CompositionPropertyTest, AddsNothingWhenComposedWithItself) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    Publisher publisher(seed, 6);
    const std::string once = ComposeAll({publisher.Document()});

    ASSERT_EQ(ComposeAll({once, once}), once) << seed;
  }
}

}  // namespace
}  // namespace presence
