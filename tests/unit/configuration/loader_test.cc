#include "configuration/loader.h"

#include <string>
#include <vector>

#include "configuration/durations.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/configuration/config_file.h"

namespace presence {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ConfigAssignment Flag(const std::string& key, const std::string& value) {
  return {.key = key, .values = {value}, .origin = {ConfigOrigin::Source::kFlag, "--set " + key}};
}

// Sources of a core in developer mode, which needs nothing else to be valid.
ConfigSources Dev(std::vector<ConfigAssignment> flags = {}) {
  ConfigSources sources;
  sources.flags = std::move(flags);
  sources.flags.push_back(Flag("dev", "true"));
  return sources;
}

std::string FaultsOf(const ConfigSources& sources) {
  return std::string(LoadCoreConfig(sources).status().message());
}

std::string FaultsOfFlag(const std::string& key, const std::string& value) {
  return FaultsOf(Dev({Flag(key, value)}));
}

TEST(LoaderTest, StartsFromTheDefaults) {
  const auto loaded = LoadCoreConfig(Dev());

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_THAT(loaded->config.listen(), ElementsAre("127.0.0.1:7460"));
  EXPECT_EQ(loaded->config.limits().max_document_bytes(), 32768u);
  EXPECT_EQ(loaded->config.limits().max_publications_per_presentity(), 40u);
  EXPECT_EQ(loaded->config.compose().order(), v1::COMPOSE_ORDER_PRIORITY_RECEIVED);
  EXPECT_EQ(loaded->config.storage().mode(), v1::STORAGE_MODE_MEMORY);
  EXPECT_EQ(ToDuration(loaded->config.expiry().sweep_interval()), absl::Milliseconds(100));
  EXPECT_TRUE(loaded->config.publish().replace_same_call_id());
  EXPECT_FALSE(loaded->config.publish().has_max_expires());
  EXPECT_EQ(loaded->origins.at("listen").where, "default");
  EXPECT_EQ(loaded->origins.count("publish.max_expires"), 0u);
}

TEST(LoaderTest, LetsLaterSourcesWin) {
  const ConfigFile file(
      "publish: {max_expires: 1h, min_expires: 1m, expires_margin: 1s}\n"
      "subscribe: {grace: 1s}\n");
  ConfigSources sources = Dev({Flag("publish.max_expires", "3h")});
  sources.file = file.path();
  sources.environment = {{"PRESENCE_CORE_PUBLISH_MAX_EXPIRES", "2h"},
                         {"PRESENCE_CORE_PUBLISH_MIN_EXPIRES", "2m"}};

  const auto loaded = LoadCoreConfig(sources);

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(ToDuration(loaded->config.publish().max_expires()), absl::Hours(3));
  EXPECT_EQ(ToDuration(loaded->config.publish().min_expires()), absl::Minutes(2));
  EXPECT_EQ(ToDuration(loaded->config.publish().expires_margin()), absl::Seconds(1));
  EXPECT_EQ(loaded->origins.at("publish.max_expires").where, "--set publish.max_expires");
  EXPECT_EQ(loaded->origins.at("publish.min_expires").where, "PRESENCE_CORE_PUBLISH_MIN_EXPIRES");
  EXPECT_EQ(loaded->origins.at("publish.expires_margin").where, file.path() + ":1:61");
}

TEST(LoaderTest, ReplacesAListAsAWhole) {
  const ConfigFile file("listen: [127.0.0.1:1, 127.0.0.1:2]\n");
  ConfigSources sources = Dev({Flag("listen", "127.0.0.1:3, [::1]:4")});
  sources.file = file.path();

  const auto loaded = LoadCoreConfig(sources);

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_THAT(loaded->config.listen(), ElementsAre("127.0.0.1:3", "[::1]:4"));
}

TEST(LoaderTest, SetsKeysOfSingleEventPackages) {
  const auto loaded =
      LoadCoreConfig(Dev({Flag("policy.packages.presence.unknown_watcher", "pending"),
                          Flag("notify.packages.presence.min_interval", "5s"),
                          Flag("publish.packages.presence.min_expires", "10s"),
                          Flag("publish.packages.presence.max_expires", "20s"),
                          Flag("packages.dialog;sla.initial_notify", "when_state")}));

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const v1::CoreConfig& config = loaded->config;
  EXPECT_EQ(config.policy().packages().at("presence").unknown_watcher(),
            v1::UNKNOWN_WATCHER_POLICY_PENDING);
  EXPECT_EQ(ToDuration(config.notify().packages().at("presence").min_interval()), absl::Seconds(5));
  EXPECT_EQ(ToDuration(config.publish().packages().at("presence").min_expires()),
            absl::Seconds(10));
  EXPECT_EQ(ToDuration(config.publish().packages().at("presence").max_expires()),
            absl::Seconds(20));
  EXPECT_EQ(config.packages().at("dialog;sla").initial_notify(), v1::INITIAL_NOTIFY_WHEN_STATE);
  EXPECT_EQ(config.publish().packages_size(), 1);
}

TEST(LoaderTest, RefusesAnUnknownKeyWithASuggestion) {  // O06
  EXPECT_EQ(FaultsOfFlag("publish.max_expire", "1h"),
            "--set publish.max_expire: unknown key \"publish.max_expire\"; did you mean "
            "\"publish.max_expires\"?");
}

TEST(LoaderTest, NamesKeyValueAndRangeOfAValueOutOfIt) {
  EXPECT_EQ(FaultsOfFlag("publish.max_expires", "31d"),
            "--set publish.max_expires: publish.max_expires is \"31d\": out of range; allowed: 1s "
            "to 30d in whole seconds");
  EXPECT_THAT(FaultsOfFlag("limits.max_xml_depth", "7"),
              HasSubstr("\"7\": out of range; allowed: 8 to 256"));
  EXPECT_THAT(FaultsOfFlag("limits.max_document_bytes", "1MiB"),
              HasSubstr("\"1MiB\": out of range; allowed: 1KiB to 128KiB"));
}

TEST(LoaderTest, RefusesLifetimesThatSipCannotWrite) {  // RFC 3261 §20.19: seconds
  EXPECT_EQ(FaultsOfFlag("publish.max_expires", "1500ms"),
            "--set publish.max_expires: publish.max_expires is \"1500ms\": not a whole number of "
            "seconds; allowed: 1s to 30d in whole seconds");
  EXPECT_EQ(FaultsOfFlag("notify.min_interval", "1500ms"), "");
}

TEST(LoaderTest, TakesTheEndsOfARange) {
  EXPECT_EQ(FaultsOfFlag("publish.max_expires", "30d"), "");
  EXPECT_EQ(FaultsOfFlag("publish.max_expires", "1s"), "");
  EXPECT_EQ(FaultsOfFlag("expiry.sweep_interval", "0"), "");
  EXPECT_EQ(FaultsOfFlag("limits.max_document_bytes", "1024"), "");
}

TEST(LoaderTest, RefusesValuesOfTheWrongType) {
  EXPECT_THAT(FaultsOfFlag("publish.max_expires", "3600"), HasSubstr("not a duration"));
  EXPECT_THAT(FaultsOfFlag("subscribe.cseq_tolerance", "-1"), HasSubstr("not a whole number"));
  EXPECT_THAT(FaultsOfFlag("subscribe.cseq_tolerance", " 1"), HasSubstr("not a whole number"));
  EXPECT_THAT(FaultsOfFlag("subscribe.cseq_tolerance", "1KiB"), HasSubstr("not a whole number"));
  EXPECT_THAT(FaultsOfFlag("publish.expire_silently", "maybe"),
              HasSubstr("neither true nor false; allowed: true or false"));
  EXPECT_THAT(FaultsOfFlag("ops_listen", "7461"), HasSubstr("allowed: HOST:PORT"));
  EXPECT_THAT(FaultsOfFlag("log.level", ""), HasSubstr("no such choice"));
}

TEST(LoaderTest, SuggestsTheNearestChoice) {
  EXPECT_THAT(FaultsOfFlag("policy.unknown_watcher", "pendig"),
              HasSubstr("no such choice; did you mean pending?; allowed: allow | pending | block"));
}

TEST(LoaderTest, ReadsChoicesWithHyphenAndUnderscoreAlike) {
  EXPECT_EQ(FaultsOfFlag("policy.reject", "after-accept"), "");
  EXPECT_EQ(FaultsOfFlag("policy.reject", "after_accept"), "");
  EXPECT_EQ(FaultsOfFlag("compose.order", "priority,received"), "");
}

TEST(LoaderTest, DbOnlyGoesWithNoOtherMode) {
  ConfigSources sources =
      Dev({Flag("storage.backend", "postgres"), Flag("storage.publications", "db-only")});
  EXPECT_THAT(FaultsOf(sources),
              HasSubstr("storage.subscriptions write-through does not go with db-only"));
  sources.flags.push_back(Flag("storage.subscriptions", "db-only"));
  EXPECT_EQ(FaultsOf(sources), "");
}

TEST(LoaderTest, RefusesAStorageModeThatDoesNotGoWithTheBackend) {
  EXPECT_THAT(FaultsOfFlag("storage.mode", "write-through"),
              HasSubstr("storage.mode write-through does not go with storage.backend memory"));
  EXPECT_EQ(FaultsOfFlag("storage.mode", "memory"), "");
  EXPECT_EQ(FaultsOfFlag("storage.backend", "postgres"), "");
}

TEST(LoaderTest, RefusesAListForASingleValueAndTheSameValueTwice) {
  const ConfigFile file("dev: [true, false]\nlisten: [127.0.0.1:1, 127.0.0.1:1]\n");
  ConfigSources sources;
  sources.file = file.path();

  EXPECT_THAT(FaultsOf(sources), AllOf(HasSubstr("dev is \"true,false\": a list where one value"),
                                       HasSubstr("\"127.0.0.1:1\" is there twice")));
}

TEST(LoaderTest, CollectsTheFaultsOfAllSources) {
  const ConfigFile file("lisen: x\n");
  ConfigSources sources = Dev({Flag("policy.reject", "maybe")});
  sources.file = file.path();
  sources.environment = {{"PRESENCE_CORE_LOG_LEVEL", "loud"}};

  EXPECT_THAT(FaultsOf(sources),
              AllOf(HasSubstr(":1:1: unknown key \"lisen\""), HasSubstr("log.level is \"loud\""),
                    HasSubstr("policy.reject is \"maybe\"")));
}

TEST(LoaderTest, RefusesAnEventPackageThatDoesNotExist) {
  ConfigSources sources = Dev({Flag("policy.packages.presense.unknown_watcher", "allow")});
  sources.events = {"presence", "dialog"};

  EXPECT_EQ(FaultsOf(sources),
            "--set policy.packages.presense.unknown_watcher: "
            "policy.packages.presense.unknown_watcher: no event package \"presense\"; did you mean "
            "\"presence\"?");
}

TEST(LoaderTest, TakesKeysForEventPackagesThatExist) {
  ConfigSources sources = Dev({Flag("notify.packages.dialog;sla.min_interval", "1s")});
  sources.events = {"presence", "dialog;sla"};

  EXPECT_EQ(FaultsOf(sources), "");
}

TEST(LoaderTest, RefusesKeysForAWinfo) {  // W02
  for (const char* key : {"policy.packages.presence.winfo.unknown_watcher",
                          "packages.presence.winfo.initial_notify"}) {
    EXPECT_THAT(FaultsOfFlag(key, "allow"), HasSubstr("winfo has no settings of its own")) << key;
  }
}

TEST(LoaderTest, TakesAnOptionalValueAwayWithAnEmptyText) {
  const ConfigFile file("unix_socket: /run/core.sock\npublish: {max_expires: 2h}\n");
  ConfigSources sources = Dev({Flag("unix_socket", ""), Flag("publish.max_expires", "")});
  sources.file = file.path();

  const auto loaded = LoadCoreConfig(sources);

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->config.unix_socket(), "");
  EXPECT_FALSE(loaded->config.publish().has_max_expires());
  EXPECT_EQ(loaded->origins.count("unix_socket"), 0u);
}

TEST(LoaderTest, NamesAFileThatCannotBeRead) {
  ConfigSources sources = Dev();
  sources.file = testing::TempDir() + "no/such/file.yaml";
  EXPECT_THAT(FaultsOf(sources), HasSubstr("file.yaml: cannot be read: No such file"));

  sources.file = testing::TempDir();
  EXPECT_THAT(FaultsOf(sources), HasSubstr("cannot be read"));
}

TEST(LoaderTest, TakesAnEmptyFile) {
  const ConfigFile file("");
  ConfigSources sources = Dev();
  sources.file = file.path();

  EXPECT_EQ(FaultsOf(sources), "");
}

TEST(LoaderTest, LoadsAGatewayInTheSameWay) {
  ConfigSources sources;
  sources.environment = {{"PRESENCE_GATEWAY_DOMAINS", "example.com,example.org"},
                         {"PRESENCE_CORE_LISTEN", "of the core"}};
  sources.flags = {Flag("listen", "udp:127.0.0.1:0"), Flag("trusted_peers", "192.0.2.0/28,::1")};

  const auto loaded = LoadGatewayConfig(sources);

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_THAT(loaded->config.domains(), ElementsAre("example.com", "example.org"));
  EXPECT_THAT(loaded->config.listen(), ElementsAre("udp:127.0.0.1:0"));
  EXPECT_THAT(loaded->config.trusted_peers(), ElementsAre("192.0.2.0/28", "::1"));
  EXPECT_THAT(loaded->config.core().addresses(), ElementsAre("127.0.0.1:7460"));
  EXPECT_EQ(ToDuration(loaded->config.core().resend_timeout()), absl::Seconds(2));
  EXPECT_EQ(ToDuration(loaded->config.core().absent_timeout()), absl::Seconds(3));
  EXPECT_EQ(loaded->config.notify().on_flow_lost(), v1::ON_FLOW_LOST_PARK);
  EXPECT_THAT(loaded->config.advertise(), IsEmpty());
}

TEST(LoaderTest, SaysThatTlsListenersAreNotServed) {
  ConfigSources sources;
  sources.flags = {Flag("dev", "true"), Flag("listen", "tls:127.0.0.1:5061")};

  EXPECT_THAT(std::string(LoadGatewayConfig(sources).status().message()),
              HasSubstr("this version serves udp and tcp, not tls"));
}

}  // namespace
}  // namespace presence
