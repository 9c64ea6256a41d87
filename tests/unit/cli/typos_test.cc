// Wrong input teaches: one suggestion, and exit code 2.
#include <set>
#include <string>
#include <utility>

#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/unit/cli/cli_test_base.h"

namespace presence::cli {
namespace {

using testing::HasSubstr;

class TyposTest : public CliTest {
 protected:
  void ExpectUsage(const std::string& line, const std::string& message) {
    const Outcome run = Presencectl(line);
    EXPECT_EQ(run.exit_code, 2) << line;
    EXPECT_THAT(run.err, HasSubstr(message)) << line;
    EXPECT_THAT(run.err, HasSubstr("\n  try: presencectl")) << line;
    EXPECT_EQ(run.out, "") << line;
  }
};

// The first two letters in the wrong order.
std::string Swapped(std::string word) {
  std::swap(word[0], word[1]);
  return word;
}

std::set<std::string> LongOptionsOf(const std::string& page) {
  std::set<std::string> options;
  for (absl::string_view line : absl::StrSplit(page, '\n')) {
    const std::size_t begin = line.find("--");
    if (!absl::StartsWith(line, "  -") || begin == absl::string_view::npos) continue;
    const absl::string_view name = line.substr(begin + 2);
    options.emplace(name.substr(0, name.find(' ')));
  }
  return options;
}

TEST_F(TyposTest, EveryMistypedCommandIsToldItsName) {
  for (const auto& [path, page] : HelpPages()) {
    if (path == "presencectl") continue;
    const std::size_t blank = path.rfind(' ');
    const std::string name = path.substr(blank + 1);
    const std::string parent = blank == 11 ? "" : path.substr(12, blank - 11);

    ExpectUsage(
        absl::StrCat(parent, Swapped(name)),
        absl::StrCat("unknown command \"", Swapped(name), "\"; did you mean \"", name, "\"?"));
  }
}

TEST_F(TyposTest, EveryMistypedOptionIsToldItsName) {
  int options = 0;
  for (const auto& [path, page] : HelpPages()) {
    const std::string command = path == "presencectl" ? "" : path.substr(12);
    for (const std::string& name : LongOptionsOf(page)) {
      ExpectUsage(
          absl::StrCat(command, " --", Swapped(name)),
          absl::StrCat("unknown option \"--", Swapped(name), "\"; did you mean \"--", name, "\"?"));
      ++options;
    }
  }
  EXPECT_GE(options, 60);
}

TEST_F(TyposTest, GlobalOptionsAreKnownAndSuggestedAfterACommandToo) {
  EXPECT_EQ(Presencectl("presentity list --timeout 1s --output json").exit_code, 0);
  EXPECT_EQ(Presencectl("-ojson presentity --timeout=1s list").exit_code, 0);
  ExpectUsage("presentity list --timeuot 1s",
              "unknown option \"--timeuot\"; did you mean \"--timeout\"?");
}

TEST_F(TyposTest, MistypedValuesAreToldTheNearest) {
  ExpectUsage("presentity list -o jsno",
              "--output: unknown value \"jsno\"; did you mean \"json\"?");
  ExpectUsage("watcher list a@b.org --state pendign",
              "--state: unknown value \"pendign\"; did you mean \"pending\"?");
  ExpectUsage("subscription list --state actvie",
              "--state: unknown value \"actvie\"; did you mean \"active\"?");
  ExpectUsage("refresh-watchers a@b.org --kind sate",
              "--kind: unknown value \"sate\"; did you mean \"state\"?");
  ExpectUsage("cleanup --kind publication",
              "--kind: unknown value \"publication\"; did you mean \"publications\"?");
  ExpectUsage("presentity list -o xml", "unknown value \"xml\"; it is one of table, json, jsonl");
}

TEST_F(TyposTest, AMistypedEventIsToldItsNameBeforeTheServerIsAsked) {
  ExpectUsage("publish a@b.org --open --event presense", "did you mean \"presence\"?");
}

TEST_F(TyposTest, WhatResemblesNothingGetsTheList) {
  ExpectUsage("frobnicate", "unknown command \"frobnicate\"; there are publish, unpublish, watch");
  ExpectUsage("watcher frobnicate",
              "unknown command \"frobnicate\"; there are list, approve, block");
  ExpectUsage("publish a@b.org --frobnicate", "unknown option \"--frobnicate\"\n");
}

TEST_F(TyposTest, AGroupWithoutItsCommandNamesThem) {
  ExpectUsage("", "presencectl needs a command: publish, unpublish");
  ExpectUsage("watcher", "presencectl watcher needs a command: list, approve, block");
  ExpectUsage("presentity", "presencectl presentity needs a command: list");
}

TEST_F(TyposTest, DurationsWithoutAUnitAreNotGuessed) {
  ExpectUsage("publish a@b.org --open --expires 600",
              "--expires: \"600\" has no unit; did you mean \"600s\"?");
  ExpectUsage("publish a@b.org --open --expires soon",
              "\"soon\" is not a duration; write 250ms, 90s, 10m, 1h30m or 7d");
  ExpectUsage("watch a@b.org --for -1s", "\"-1s\" is not a duration");
  ExpectUsage("presentity list --timeout inf", "\"inf\" is not a duration");
}

TEST_F(TyposTest, MissingAndSurplusArgumentsAreNamed) {
  ExpectUsage("publish", "USER is required");
  ExpectUsage("watcher approve a@b.org", "WATCHER is required");
  ExpectUsage("watch", "USER is required");
  ExpectUsage("state get a@b.org b@b.org", "b@b.org");
  ExpectUsage("publish a@b.org --note", "--note");
  ExpectUsage("publish \"\" --open", "USER must not be empty");
}

TEST_F(TyposTest, OptionsThatExcludeOrNeedEachOtherSaySo) {
  ExpectUsage("publish a@b.org --open --closed", "--open excludes --closed");
  ExpectUsage("publish a@b.org --open --file x", "excludes --file");
  ExpectUsage("publish a@b.org --open --content-type text/plain", "--content-type requires --file");
  ExpectUsage("unpublish a@b.org --all --etag x", "--etag excludes --all");
  ExpectUsage("state get a@b.org --etag x --contact sip:a@192.0.2.1", "--etag excludes --contact");
}

TEST_F(TyposTest, AUserNamedLikeACommandIsAUser) {
  const Outcome run = Presencectl("publish watch --open --note list");

  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(fake_.publishes().at(0).presentity(), "watch");
}

TEST_F(TyposTest, AfterTwoDashesEverythingIsAnArgument) {
  const Outcome run = Presencectl("publish --open -- --open");

  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(fake_.publishes().at(0).presentity(), "--open");
}

TEST_F(TyposTest, AValueMayLookLikeAnOption) {
  const Outcome run = Presencectl("publish alice@example.com --open --note --brb");

  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(fake_.publishes().at(0).document().body(), HasSubstr("<note>--brb</note>"));
}

}  // namespace
}  // namespace presence::cli
