#include "configuration/yaml_source.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct Read {
  std::vector<ConfigAssignment> assignments;
  std::string faults;
};

Read ReadCore(const std::string& text) {
  ConfigFaults faults;
  Read read;
  read.assignments = ReadYaml(text, "f.yaml", CoreConfigSchema(), faults);
  read.faults = std::string(faults.status().message());
  return read;
}

auto Sets(const std::string& key, const std::vector<std::string>& values,
          const std::string& where) {
  return AllOf(Field(&ConfigAssignment::key, key), Field(&ConfigAssignment::values, values),
               Field(&ConfigAssignment::origin, Field(&ConfigOrigin::where, where)));
}

TEST(YamlSourceTest, ReadsNestedAndDottedKeysWithTheirPlaces) {
  const Read read = ReadCore(
      "publish:\n"
      "  max_expires: 2h\n"
      "subscribe.max_expires: 3h\n"
      "domains: [a.example, b.example]\n");

  EXPECT_EQ(read.faults, "");
  EXPECT_THAT(read.assignments,
              ElementsAre(Sets("publish.max_expires", {"2h"}, "f.yaml:2:16"),
                          Sets("subscribe.max_expires", {"3h"}, "f.yaml:3:24"),
                          Sets("domains", {"a.example", "b.example"}, "f.yaml:4:10")));
}

TEST(YamlSourceTest, ReadsMapsOfEventPackages) {
  const Read read = ReadCore(
      "policy:\n"
      "  packages:\n"
      "    dialog;sla:\n"
      "      unknown_watcher: block\n"
      "notify.packages:\n"
      "  presence.winfo: {min_interval: 5s}\n");

  EXPECT_EQ(read.faults, "");
  EXPECT_THAT(
      read.assignments,
      ElementsAre(Sets("policy.packages.dialog;sla.unknown_watcher", {"block"}, "f.yaml:4:24"),
                  Sets("notify.packages.presence.winfo.min_interval", {"5s"}, "f.yaml:6:34")));
}

TEST(YamlSourceTest, TakesFilesAndSectionsInWhichNothingIsSet) {
  for (const char* text : {"", "# only a comment\n", "---\n", "publish:\n", "publish: {}\n",
                           "publish:\n  packages:\n    presence:\n"}) {
    const Read read = ReadCore(text);
    EXPECT_EQ(read.faults, "") << text;
    EXPECT_THAT(read.assignments, IsEmpty()) << text;
  }
}

TEST(YamlSourceTest, NamesThePlaceAndTheNearestKeyOfAnUnknownOne) {
  EXPECT_EQ(
      ReadCore("publish:\n  max_expire: 2h\n").faults,
      "f.yaml:2:3: unknown key \"publish.max_expire\"; did you mean \"publish.max_expires\"?");
  EXPECT_EQ(ReadCore("lisen: x\n").faults,
            "f.yaml:1:1: unknown key \"lisen\"; did you mean \"listen\"?");
  EXPECT_THAT(ReadCore("storage: memory\n").faults,
              StartsWith("f.yaml:1:1: unknown key \"storage\"; it is a section"));
  EXPECT_THAT(ReadCore("nothing:\n  like: it\n").faults,
              StartsWith("f.yaml:1:1: unknown key \"nothing\""));
}

TEST(YamlSourceTest, RefusesAKeyThatIsSetTwice) {
  EXPECT_EQ(ReadCore("publish:\n  max_expires: 2h\npublish.max_expires: 3h\n").faults,
            "f.yaml:3:1: publish.max_expires is set twice; first at f.yaml:2:3");
  EXPECT_THAT(ReadCore("dev: true\ndev: false\n").faults, HasSubstr("set twice"));
}

TEST(YamlSourceTest, RefusesKeysWithoutAValueAndValuesOfTheWrongShape) {
  EXPECT_THAT(ReadCore("publish:\n  max_expires:\n").faults,
              HasSubstr("publish.max_expires has no value"));
  EXPECT_THAT(ReadCore("publish:\n  max_expires: {a: b}\n").faults,
              HasSubstr("publish.max_expires takes a value, not a section"));
  EXPECT_EQ(ReadCore("domains: [a, [b]]\n").faults,
            "f.yaml:1:14: domains takes a list of plain values");
  EXPECT_THAT(ReadCore("[a, b]: c\n").faults, HasSubstr("a key must be a name"));
}

TEST(YamlSourceTest, RefusesWhatIsNoConfiguration) {
  EXPECT_THAT(ReadCore("- a\n- b\n").faults, HasSubstr("expected keys and values"));
  EXPECT_THAT(ReadCore("just text\n").faults, HasSubstr("expected keys and values"));
  EXPECT_THAT(ReadCore("dev: true\n---\ndev: false\n").faults, HasSubstr("a second document"));
}

TEST(YamlSourceTest, NamesThePlaceWhereTheYamlBreaks) {
  EXPECT_THAT(ReadCore("dev: true\nlisten: [a\n").faults, HasSubstr("not YAML"));
  EXPECT_THAT(ReadCore("dev: true\n\tlisten: a\n").faults, StartsWith("f.yaml:2:"));
  EXPECT_THAT(ReadCore("dev: *nowhere\n").faults, HasSubstr("not YAML"));
}

TEST(YamlSourceTest, RefusesDeepNestingWithoutFollowingIt) {
  std::string text = "publish:\n  packages:\n";
  std::string indent = "    ";
  for (int i = 0; i < 50; ++i, indent += " ") text += indent + "a:\n";

  EXPECT_THAT(ReadCore(text).faults, HasSubstr("nested too deep"));
}

TEST(YamlSourceTest, CollectsEveryFault) {
  const Read read = ReadCore("lisen: a\npolcy: b\ndev: true\n");

  EXPECT_THAT(read.faults, AllOf(HasSubstr("f.yaml:1:1"), HasSubstr("f.yaml:2:1")));
  EXPECT_EQ(read.assignments.size(), 1u);
}

}  // namespace
}  // namespace presence
