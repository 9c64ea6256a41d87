// The table of parameters against the module's documentation, our keys, and the committed page.
#include "cli/kamailio/parameters.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "configuration/schema.h"
#include "configuration/value.h"
#include "tests/unit/cli/kamailio/script_files.h"

namespace presence::cli {
namespace {

using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::Not;

// As chapter 3 of the module's README lists them.
constexpr const char* kNames[] = {
    "db_url",
    "presentity_table",
    "active_watchers_table",
    "watchers_table",
    "clean_period",
    "cseq_offset",
    "db_update_period",
    "waitn_time",
    "notifier_poll_rate",
    "notifier_processes",
    "force_delete",
    "startup_mode",
    "expires_offset",
    "max_expires",
    "min_expires",
    "min_expires_action",
    "server_address",
    "subs_db_mode",
    "publ_cache",
    "subs_htable_size",
    "pres_htable_size",
    "send_fast_notify",
    "enable_sphere_check",
    "timeout_rm_subs",
    "fetch_rows",
    "db_table_lock_type",
    "local_log_level",
    "local_log_facility",
    "subs_remove_match",
    "xavp_cfg",
    "retrieve_order",
    "retrieve_order_by",
    "sip_uri_match",
    "enable_dmq",
    "pres_subs_mode",
    "delete_same_subs",
    "timer_mode",
};

const ConfigSchema& SchemaOf(Program program) {
  return program == Program::kCore ? CoreConfigSchema() : GatewayConfigSchema();
}

// Tests run in the root of the repository.
constexpr char kPage[] = "docs/kamailio-coverage.md";

std::string Page() {
  std::ifstream file(kPage);
  std::ostringstream page;
  page << file.rdbuf();
  return page.str();
}

TEST(ParametersTest, AreThe37OfTheModule) {  // O06
  std::vector<std::string> names;
  for (const Parameter& parameter : AllParameters()) names.emplace_back(parameter.name);

  EXPECT_THAT(names, ElementsAreArray(kNames));
}

TEST(ParametersTest, NameKeysThatExist) {
  for (const Parameter& parameter : AllParameters()) {
    for (const SuccessorKey& key : parameter.keys) {
      EXPECT_TRUE(SchemaOf(key.program).Find(key.key)) << parameter.name << ": " << KeyName(key);
    }
  }
}

// What our keys say of themselves and what the table says, by parameter.
TEST(ParametersTest, AgreeWithTheKeysThatReplaceThem) {  // O06
  std::map<std::string, std::set<std::string>> by_table;
  std::map<std::string, std::set<std::string>> by_keys;
  for (const Parameter& parameter : AllParameters()) {
    for (const SuccessorKey& key : parameter.keys) by_table[parameter.name].insert(KeyName(key));
  }
  for (const Program program : {Program::kCore, Program::kGateway}) {
    for (const ConfigKey& key : SchemaOf(program).keys()) {
      if (key.is_per_package()) continue;
      for (const auto replaced : absl::StrSplit(key.setting.replaces(), ", ", absl::SkipEmpty())) {
        const std::string name(replaced);
        // A function's argument, not a parameter.
        if (name != "handle_publish's sender_uri")
          by_keys[name].insert(KeyName({program, key.name}));
      }
    }
  }

  EXPECT_EQ(by_table, by_keys);
}

TEST(ParametersTest, AreKeptUnderTheirNameAndRenamedUnderAnother) {
  for (const Parameter& parameter : AllParameters()) {
    for (const SuccessorKey& key : parameter.keys) {
      const std::string last = key.key.substr(key.key.rfind('.') + 1);
      EXPECT_EQ(parameter.fate, last == parameter.name ? Fate::kKept : Fate::kRenamed)
          << parameter.name;
    }
    if (parameter.keys.empty()) {
      EXPECT_NE(parameter.fate, Fate::kKept);
      EXPECT_NE(parameter.fate, Fate::kRenamed);
    }
  }
}

// Somebody who set nothing must learn where we behave otherwise: every default of Kamailio that its
// converter turns into something else than our default has a text about it.
TEST(ParametersTest, SayWhereOurDefaultIsAnother) {
  const std::set<std::string> without_number = {
      "db_url",         "presentity_table",   "server_address",  "active_watchers_table",
      "watchers_table", "local_log_facility", "local_log_level", "retrieve_order_by",
      "xavp_cfg"};
  int compared = 0;
  for (const Parameter& parameter : AllParameters()) {
    if (parameter.keys.empty() || without_number.contains(parameter.name)) continue;
    const std::string number(parameter.kamailio_default, 0,
                             std::string(parameter.kamailio_default).find(' '));
    const Script script =
        Presence(absl::StrCat("modparam(\"presence\", \"", parameter.name, "\", ", number, ")\n"));
    const Migration migration = Migrate(script, {});
    for (const SuccessorKey& key : parameter.keys) {
      ++compared;
      const auto target = SchemaOf(key.program).Find(key.key);
      ASSERT_TRUE(target);
      const bool is_same = migration.Sets(key) && migration.settings.front().values.front() ==
                                                      target->key->setting.default_value();
      const std::string unset = parameter.unset;
      EXPECT_TRUE(is_same || !unset.empty() || !migration.Sets(key))
          << parameter.name << ": " << number << " is not our "
          << target->key->setting.default_value();
    }
  }
  EXPECT_EQ(compared, 21);
}

TEST(ParametersTest, ThePageShowsThisTable) {
  const std::string page = Page();
  const std::string begin = "<!-- Made from the table in cli/kamailio/parameters.cc. -->\n";
  const std::size_t from = page.find(begin) + begin.size();
  const std::size_t to = page.find("\n## ", from);
  ASSERT_LE(from, to);
  ASSERT_NE(to, std::string::npos);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread.
  if (std::getenv("PRESENCE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(kPage) << page.substr(0, from) + ParametersAsMarkdown() + page.substr(to);
    return;
  }

  EXPECT_EQ(page.substr(from, to - from), ParametersAsMarkdown())
      << "run: PRESENCE_UPDATE_GOLDEN=1 kamailio_test --gtest_filter='*ThePageShowsThisTable'";
}

TEST(ParametersTest, ThePageNamesTestsThatExist) {
  int tests = 0;
  const std::string page = Page();
  for (const auto word : absl::StrSplit(page, '`')) {
    if (!absl::StartsWith(word, "tests/")) continue;
    ++tests;
    EXPECT_TRUE(std::filesystem::exists(std::string(word))) << std::string(word);
  }
  EXPECT_GE(tests, 10);
}

TEST(ParametersTest, HaveTextsWithoutFullStops) {
  for (const Parameter& parameter : AllParameters()) {
    const std::string how = parameter.how;
    EXPECT_THAT(how, Not(IsEmpty())) << parameter.name;
    EXPECT_NE(how.back(), '.') << parameter.name;
  }
}

}  // namespace
}  // namespace presence::cli
