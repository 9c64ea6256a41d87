// What becomes of values: into which keys they go, what is refused, and that our programs take it.
#include "cli/kamailio/migration.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/kamailio/acceptance.h"
#include "cli/kamailio/parameters.h"
#include "cli/kamailio/report.h"
#include "configuration/loader.h"
#include "configuration/schema.h"
#include "configuration/value.h"
#include "tests/unit/cli/kamailio/script_files.h"
#include "tests/unit/configuration/config_file.h"

namespace presence::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kDatabase[] = "modparam(\"presence\", \"db_url\", \"postgres://u:p@h/d\")\n";

// A modparam of the presence module; `value` as a script has it.
std::string Line(const std::string& name, const std::string& value) {
  return absl::StrCat("modparam(\"presence\", \"", name, "\", ", value, ")\n");
}

const MigrationRow& RowOf(const Migration& migration, const std::string& subject) {
  static const auto* const kNone = new MigrationRow();
  for (const MigrationRow& row : migration.rows) {
    if (row.subject == subject) return row;
  }
  ADD_FAILURE() << "no row about " << subject;
  return *kNone;
}

// "key: value", for every setting.
std::vector<std::string> SettingsOf(const Migration& migration) {
  std::vector<std::string> settings;
  for (const NewSetting& setting : migration.settings) {
    settings.push_back(
        absl::StrCat(KeyName(setting.key), ": ", absl::StrJoin(setting.values, ",")));
  }
  return settings;
}

std::vector<std::string> SettingsFor(const std::string& script) {
  const Migration migration = Migrate(Presence(script), {});
  EXPECT_TRUE(CheckAccepted(migration).ok()) << script << CheckAccepted(migration);
  return SettingsOf(migration);
}

struct Case {
  const char* name;
  const char* value;
  std::vector<std::string> settings;
  Fate fate;
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.name << " " << test.value; }

class ConversionTest : public testing::TestWithParam<Case> {};

TEST_P(ConversionTest, TurnsAValueIntoKeysThatOurProgramsTake) {  // O06
  const Migration migration = Migrate(Presence(Line(GetParam().name, GetParam().value)), {});

  EXPECT_EQ(SettingsOf(migration), GetParam().settings);
  EXPECT_EQ(RowOf(migration, GetParam().name).fate, GetParam().fate);
  EXPECT_TRUE(CheckAccepted(migration).ok()) << CheckAccepted(migration);
}

constexpr Fate kKept = Fate::kKept;
constexpr Fate kRenamed = Fate::kRenamed;
constexpr Fate kSuperseded = Fate::kSuperseded;
constexpr Fate kNeedsYou = Fate::kNeedsYou;

INSTANTIATE_TEST_SUITE_P(
    Values, ConversionTest,
    testing::Values(
        Case{"db_url", "\"\"", {}, kNeedsYou},
        Case{"presentity_table", "\"presentity\"", {}, kRenamed},
        Case{"presentity_table", "\"p\"", {"presence-core storage.views.presentity: p"}, kRenamed},
        Case{"active_watchers_table", "\"active_watchers\"", {}, kRenamed},
        Case{"watchers_table", "\"w\"", {"presence-core storage.views.watchers: w"}, kRenamed},
        Case{"watchers_table", "\"My-Watchers\"", {}, kNeedsYou},
        Case{"watchers_table", "\"none\"", {}, kNeedsYou},
        Case{"clean_period", "100", {}, kRenamed},
        Case{"clean_period", "0", {"presence-core expiry.sweep_interval: 0s"}, kRenamed},
        Case{"cseq_offset", "0", {"presence-core subscribe.cseq_tolerance: 0"}, kRenamed},
        Case{"cseq_offset", "3", {"presence-core subscribe.cseq_tolerance: 2"}, kRenamed},
        Case{"cseq_offset", "5000", {}, kNeedsYou}, Case{"db_update_period", "30", {}, kSuperseded},
        Case{"waitn_time", "9", {}, kSuperseded}, Case{"notifier_poll_rate", "20", {}, kSuperseded},
        Case{"notifier_processes", "3", {}, kSuperseded},
        Case{"force_delete", "1", {"presence-core publish.expire_silently: true"}, kRenamed},
        Case{"force_delete", "\"0\"", {"presence-core publish.expire_silently: false"}, kRenamed},
        Case{"force_delete", "\"x\"", {}, kNeedsYou}, Case{"startup_mode", "0", {}, kSuperseded},
        Case{"expires_offset",
             "15",
             {"presence-core publish.expires_margin: 15s", "presence-core subscribe.grace: 15s"},
             kRenamed},
        Case{"expires_offset", "-5", {}, kNeedsYou},
        Case{"max_expires",
             "7200",
             {"presence-core publish.max_expires: 2h", "presence-core subscribe.max_expires: 2h"},
             kKept},
        // Below the minimum that holds here unless somebody says otherwise.
        Case{
            "max_expires",
            "30",
            {"presence-core publish.max_expires: 30s", "presence-core publish.min_expires: 0s",
             "presence-core subscribe.max_expires: 30s", "presence-core subscribe.min_expires: 0s"},
            kKept},
        Case{"max_expires", "0", {}, kNeedsYou}, Case{"max_expires", "2592001", {}, kNeedsYou},
        Case{"min_expires",
             "0",
             {"presence-core publish.min_expires: 0s", "presence-core subscribe.min_expires: 0s"},
             kKept},
        Case{"min_expires", "90000", {}, kNeedsYou},
        Case{"min_expires_action", "1", {"presence-core min_expires_action: reject"}, kKept},
        Case{"min_expires_action", "2", {"presence-core min_expires_action: raise"}, kKept},
        Case{"min_expires_action", "3", {}, kNeedsYou},
        Case{"server_address",
             "\"sip:10.10.10.10:5060\"",
             {"sip-gateway sip.contact: sip:10.10.10.10:5060"},
             kRenamed},
        Case{"server_address", "\"10.10.10.10\"", {}, kNeedsYou},
        Case{"subs_db_mode", "1", {}, kSuperseded}, Case{"subs_db_mode", "4", {}, kNeedsYou},
        Case{"publ_cache", "2", {}, kSuperseded}, Case{"subs_htable_size", "11", {}, kSuperseded},
        Case{"pres_htable_size", "11", {}, kSuperseded},
        Case{"send_fast_notify", "0", {"presence-core initial_notify: never"}, kRenamed},
        Case{"send_fast_notify", "1", {"presence-core initial_notify: always"}, kRenamed},
        Case{"enable_sphere_check", "0", {}, kSuperseded},
        Case{"enable_sphere_check", "1", {}, kNeedsYou},
        Case{"timeout_rm_subs", "0", {"presence-core notify.on_timeout: keep"}, kRenamed},
        Case{"timeout_rm_subs", "1", {"presence-core notify.on_timeout: remove"}, kRenamed},
        Case{"fetch_rows", "1000", {"presence-core storage.batch_rows: 1000"}, kRenamed},
        Case{"fetch_rows", "0", {}, kNeedsYou}, Case{"db_table_lock_type", "0", {}, kSuperseded},
        Case{"local_log_level", "3", {}, kRenamed},
        Case{"local_log_facility",
             "\"LOG_LOCAL3\"",
             {"presence-core log.sink: syslog:local3", "sip-gateway log.sink: syslog:local3"},
             kRenamed},
        Case{"local_log_facility", "\"LOG_FTP\"", {}, kNeedsYou},
        Case{"subs_remove_match", "1", {}, kSuperseded}, Case{"xavp_cfg", "\"\"", {}, kSuperseded},
        Case{"xavp_cfg", "\"pres\"", {}, kNeedsYou},
        Case{"retrieve_order", "0", {"presence-core compose.order: received"}, kRenamed},
        Case{"retrieve_order", "1", {"presence-core compose.order: priority"}, kRenamed},
        Case{"retrieve_order_by", "\"priority\"", {}, kSuperseded},
        Case{"sip_uri_match", "1", {"presence-core uri.fold_user_case: true"}, kRenamed},
        Case{"enable_dmq", "0", {}, kSuperseded}, Case{"enable_dmq", "1", {}, kNeedsYou},
        Case{"pres_subs_mode", "0", {}, kSuperseded},
        Case{"delete_same_subs",
             "1",
             {"presence-core subscribe.replace_same_call_id: true"},
             kRenamed},
        Case{"timer_mode", "0", {}, kSuperseded}));

TEST(MigrationTest, TheCasesAboveHaveEveryParameter) {
  // A parameter whose value nobody looked at here would be one that nobody tested.
  std::string missing;
  for (const Parameter& parameter : AllParameters()) {
    const std::string name = parameter.name;
    if (name == "retrieve_order_by") continue;  // two further tests
    const Migration migration = Migrate(Presence(Line(name, "1")), {});
    if (RowOf(migration, name).position == std::nullopt) missing += name + " ";
  }
  EXPECT_THAT(missing, IsEmpty());
}

TEST(MigrationTest, TheOrderOfRetrievalIsAFewWordsAndNeverSql) {
  const auto order = [](const std::string& by) {
    return SettingsFor(Line("retrieve_order", "1") + Line("retrieve_order_by", by));
  };

  EXPECT_THAT(order("\"priority\""), ElementsAre("presence-core compose.order: priority"));
  EXPECT_THAT(order("'Priority, received_time'"),
              ElementsAre("presence-core compose.order: priority,received"));
  EXPECT_THAT(order("\"received_time\""), ElementsAre("presence-core compose.order: received"));
  EXPECT_THAT(order("\"etag DESC\""), IsEmpty());
}

TEST(MigrationTest, MinimumAndMaximumGoTogether) {
  EXPECT_THAT(SettingsFor(Line("min_expires", "20") + Line("max_expires", "40")),
              ElementsAre("presence-core publish.max_expires: 40s",
                          "presence-core publish.min_expires: 20s",
                          "presence-core subscribe.max_expires: 40s",
                          "presence-core subscribe.min_expires: 20s"));
  EXPECT_THAT(SettingsFor(Line("min_expires", "50") + Line("max_expires", "40")), IsEmpty());
}

// Every pair of modes that Kamailio has is one that our core takes.
TEST(MigrationTest, EachOfTheTwoModesHasItsSuccessor) {
  const auto modes = [](const std::string& subscriptions, const std::string& publications) {
    std::string text;
    for (const std::string& setting : SettingsFor(kDatabase + Line("subs_db_mode", subscriptions) +
                                                  Line("publ_cache", publications))) {
      if (setting.find("storage.dsn") != std::string::npos) continue;
      text += setting.substr(std::string("presence-core storage.").size()) + " ";
    }
    return text;
  };

  for (const char* publications : {"0", "1"}) {
    EXPECT_EQ(modes("0", publications),
              "backend: postgres subscriptions: memory publications: write-through ");
    EXPECT_EQ(modes("1", publications),
              "backend: postgres subscriptions: write-through publications: write-through ");
    EXPECT_EQ(modes("2", publications),
              "backend: postgres subscriptions: write-back publications: write-through ");
    EXPECT_EQ(modes("3", publications),
              "backend: postgres subscriptions: write-through publications: write-through ");
  }
  EXPECT_EQ(modes("0", "2"), "backend: memory ");
  EXPECT_EQ(modes("1", "2"),
            "backend: postgres subscriptions: write-through publications: memory ");
  EXPECT_EQ(modes("2", "2"), "backend: postgres subscriptions: write-back publications: memory ");
}

TEST(MigrationTest, WritesBackAsOftenAsBefore) {
  const std::string write_back = kDatabase + Line("subs_db_mode", "2");

  EXPECT_THAT(SettingsFor(write_back + Line("db_update_period", "20")),
              testing::Contains("presence-core storage.flush_interval: 20s"));
  const Migration never = Migrate(Presence(write_back + Line("db_update_period", "0")), {});
  EXPECT_EQ(RowOf(never, "db_update_period").fate, Fate::kNeedsYou);
}

TEST(MigrationTest, TakesWhatNotifierProcessesDoWhereKamailioHasThem) {
  const std::string database_only = kDatabase + Line("subs_db_mode", "3");

  EXPECT_THAT(
      SettingsFor(database_only + Line("waitn_time", "9") + Line("notifier_processes", "3")),
      AllOf(testing::Contains("presence-core notify.min_interval: 9s"),
            testing::Contains("presence-core notify.workers: 3")));
  EXPECT_THAT(
      SettingsFor(database_only + Line("waitn_time", "9") + Line("notifier_processes", "0")),
      Not(testing::Contains(HasSubstr("notify."))));
}

TEST(MigrationTest, ADatabaseOfPostgresqlIsTakenWithoutItsPassword) {
  const Migration migration = Migrate(
      Presence(Line("db_url", "\"postgres://kam ailio:p@ss:w/rd@db.example:5433/pres%\"")), {});

  EXPECT_THAT(SettingsOf(migration),
              testing::Contains(
                  "presence-core storage.dsn: postgres://kam%20ailio@db.example:5433/pres%25"));
  EXPECT_EQ(RowOf(migration, "db_url").fate, Fate::kNeedsYou);
}

TEST(MigrationTest, ADatabaseWithoutPasswordNeedsNobody) {
  const Migration migration = Migrate(Presence(Line("db_url", "\"postgres://kamailio@h/d\"")), {});

  EXPECT_EQ(RowOf(migration, "db_url").fate, Fate::kRenamed);
}

TEST(MigrationTest, AnotherDatabaseNeedsSomebody) {
  for (const char* url :
       {"\"mysql://u:p@h/d\"", "\"cluster://c1\"", "\"text\"", "\"postgres://h\""}) {
    const Migration migration = Migrate(Presence(Line("db_url", url)), {});
    EXPECT_EQ(RowOf(migration, "db_url").fate, Fate::kNeedsYou) << url;
    EXPECT_THAT(SettingsOf(migration), Not(testing::Contains(HasSubstr("storage.dsn")))) << url;
    EXPECT_TRUE(CheckAccepted(migration).ok()) << url;
  }
}

TEST(MigrationTest, NothingShowsAPassword) {
  const Script script = Presence(
      "loadmodule \"presence_xml.so\"\n#!substdef \"!WORD!sesame!g\"\n"
      "modparam(\"presence.*\", \"db_url\", \"postgres://u:a:WORD@x:WORD@h/d\")\n");
  const Migration migration = Migrate(script, {"example.com"});

  std::ostringstream report;
  PrintReport(migration, report, Terminal{});
  report << ConfigurationFile(migration, Program::kCore)
         << ConfigurationFile(migration, Program::kGateway);
  for (const MigrationRow& row : migration.rows) report << row.was << row.note;

  EXPECT_THAT(report.str(), Not(HasSubstr("sesame")));
  EXPECT_THAT(report.str(), HasSubstr("postgres://u:***@h/d"));
}

TEST(MigrationTest, MasksPasswordsOnlyWhereThereAreSome) {
  EXPECT_EQ(MaskPassword("mysql://u:p@h:3306/d"), "mysql://u:***@h:3306/d");
  EXPECT_EQ(MaskPassword("mysql://u@h:3306/d"), "mysql://u@h:3306/d");
  EXPECT_EQ(MaskPassword("text:///a"), "text:///a");
  EXPECT_EQ(MaskPassword("priority"), "priority");
}

TEST(MigrationTest, TakesDomainsFromAliasesUnlessSomebodyNamesThem) {
  const std::string script =
      "alias=\"example.com\"\nalias=udp:sip.example.com:5060 example.com:5061\nalias=\"*\"\n";

  EXPECT_THAT(SettingsFor(script), ElementsAre("presence-core domains: example.com,sip.example.com",
                                               "sip-gateway domains: example.com,sip.example.com"));
  EXPECT_THAT(SettingsOf(Migrate(Presence(script), {"a.example"})),
              ElementsAre("presence-core domains: a.example", "sip-gateway domains: a.example"));
  EXPECT_EQ(RowOf(Migrate(Presence(""), {}), "domains").fate, Fate::kNeedsYou);
}

TEST(MigrationTest, LooksAtWhatPresenceXmlDecidesForTheModule) {
  const Migration migration = Migrate(
      Presence("loadmodule \"presence_xml.so\"\nmodparam(\"presence_xml\", \"force_active\", 1)\n"
               "modparam(\"presence_xml\", \"xcap_table\", \"xcap\")\n"),
      {});

  EXPECT_THAT(SettingsOf(migration),
              ElementsAre("presence-core policy.packages.presence.unknown_watcher: allow"));
  EXPECT_EQ(RowOf(migration, "presence_xml force_active").fate, Fate::kRenamed);
  EXPECT_EQ(RowOf(migration, "presence_xml xcap_table").fate, Fate::kNeedsYou);
}

TEST(MigrationTest, SaysWhatOfTheScriptNeedsASuccessor) {
  const Migration migration = Migrate(
      Presence("loadmodule \"presence_mwi.so\"\nloadmodule \"pua.so\"\nlisten=udp:192.0.2.1:5060\n"
               "cfgengine \"lua\"\nroute { handle_publish(); handle_publish(); }\n"),
      {});

  for (const char* subject :
       {"handle_publish", "loadmodule presence_mwi", "loadmodule pua", "listen", "cfgengine lua"}) {
    EXPECT_EQ(RowOf(migration, subject).fate, Fate::kNeedsYou) << subject;
    EXPECT_THAT(RowOf(migration, subject).note, Not(IsEmpty())) << subject;
  }
  EXPECT_EQ(RowOf(migration, "handle_publish").was, "2 times");
  EXPECT_EQ(RowOf(migration, "handle_publish").position->text(), "k.cfg:6");
}

TEST(MigrationTest, HasARowForEachParameterInEveryCase) {
  for (const std::string& script : {std::string(), std::string(kDatabase)}) {
    const Migration migration = Migrate(Presence(script), {});
    for (const Parameter& parameter : AllParameters()) {
      const MigrationRow& row = RowOf(migration, parameter.name);
      EXPECT_THAT(row.note, Not(IsEmpty())) << parameter.name;
      EXPECT_THAT(row.was, Not(IsEmpty())) << parameter.name;
    }
  }
}

// The files, through the loader that the programs start with.
TEST(MigrationTest, WritesFilesThatOurProgramsRead) {
  const Script script =
      Presence(kDatabase + Line("max_expires", "7200") + Line("sip_uri_match", "1") +
               Line("local_log_facility", "\"LOG_DAEMON\"") +
               Line("server_address", "\"sip:presence@192.0.2.1:5060;transport=tcp\"") +
               "modparam(\"presence_xml\", \"force_active\", 1)\nloadmodule \"presence_xml.so\"\n" +
               "modparam(\"presence_xml\", \"force_active\", 1)\nalias=example.com\n");
  const Migration migration = Migrate(script, {});
  ConfigSources core_sources;
  ConfigSources gateway_sources;
  {
    const ConfigFile core(ConfigurationFile(migration, Program::kCore));
    core_sources.file = core.path();
    const auto loaded = LoadCoreConfig(core_sources);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ(loaded->config.publish().max_expires().seconds(), 7200);
    EXPECT_EQ(loaded->config.subscribe().max_expires().seconds(), 7200);
    EXPECT_EQ(loaded->config.storage().backend(), v1::STORAGE_BACKEND_POSTGRES);
    EXPECT_EQ(loaded->config.storage().mode(), v1::STORAGE_MODE_WRITE_THROUGH);
    EXPECT_EQ(loaded->config.storage().dsn(), "postgres://u@h/d");
    EXPECT_TRUE(loaded->config.uri().fold_user_case());
    EXPECT_EQ(loaded->config.policy().packages().at("presence").unknown_watcher(),
              v1::UNKNOWN_WATCHER_POLICY_ALLOW);
    EXPECT_EQ(loaded->config.log().sink(), "syslog:daemon");
    EXPECT_THAT(loaded->config.domains(), ElementsAre("example.com"));
  }
  const ConfigFile gateway(ConfigurationFile(migration, Program::kGateway));
  gateway_sources.file = gateway.path();
  const auto loaded = LoadGatewayConfig(gateway_sources);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->config.sip().contact(), "sip:presence@192.0.2.1:5060;transport=tcp");
  EXPECT_EQ(loaded->config.log().sink(), "syslog:daemon");
}

// What a script has in its strings must not get out of the comment it is quoted in.
TEST(MigrationTest, AValueCannotSetAKey) {
  const Migration migration =
      Migrate(Presence(Line("retrieve_order", "1") +
                       Line("retrieve_order_by", R"("priority,\n\ndev: true\n\nreceived_time")")),
              {"example.com"});
  const Migration taken =
      Migrate(Presence(Line("retrieve_order", "1") +
                       Line("retrieve_order_by", R"("priority,\n\n\nreceived_time")")),
              {"example.com"});

  EXPECT_THAT(ConfigurationFile(migration, Program::kCore), Not(HasSubstr("\ndev")));
  const ConfigFile file(ConfigurationFile(taken, Program::kCore));
  ConfigSources sources;
  sources.file = file.path();
  const auto loaded = LoadCoreConfig(sources);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->config.compose().order(), v1::COMPOSE_ORDER_PRIORITY_RECEIVED);
}

}  // namespace
}  // namespace presence::cli
