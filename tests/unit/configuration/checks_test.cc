#include "configuration/checks.h"

#include <string>
#include <vector>

#include "configuration/loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using Settings = std::vector<std::pair<std::string, std::string>>;

ConfigSources SourcesOf(const Settings& settings) {
  ConfigSources sources;
  for (const auto& [key, value] : settings) {
    sources.flags.push_back(
        {.key = key, .values = {value}, .origin = {ConfigOrigin::Source::kFlag, "--set " + key}});
  }
  return sources;
}

std::string CoreFaults(const Settings& settings) {
  return std::string(LoadCoreConfig(SourcesOf(settings)).status().message());
}

std::string GatewayFaults(const Settings& settings) {
  return std::string(LoadGatewayConfig(SourcesOf(settings)).status().message());
}

TEST(ChecksTest, RefusesACoreWithoutDomainsOutsideDeveloperMode) {
  EXPECT_THAT(CoreFaults({}), AllOf(HasSubstr("domains: not set"), HasSubstr("--domain")));
  EXPECT_EQ(CoreFaults({{"domains", "example.com"}}), "");
  EXPECT_EQ(CoreFaults({{"dev", "true"}}), "");
}

TEST(ChecksTest, RefusesAGatewayWithoutDomainsOutsideDeveloperMode) {
  EXPECT_THAT(GatewayFaults({}), HasSubstr("domains: not set"));
  EXPECT_EQ(GatewayFaults({{"domains", "example.com"}}), "");
  EXPECT_EQ(GatewayFaults({{"dev", "true"}}), "");
}

TEST(ChecksTest, KeepsDeveloperModeOnLoopback) {
  EXPECT_THAT(CoreFaults({{"dev", "true"}, {"listen", "127.0.0.1:1,0.0.0.0:2"}}),
              AllOf(HasSubstr("--set listen: listen 0.0.0.0:2 is open to others")));
  EXPECT_THAT(CoreFaults({{"dev", "true"}, {"ops_listen", "[::]:1"}}),
              HasSubstr("ops_listen [::]:1 is open to others"));
  EXPECT_EQ(CoreFaults({{"domains", "example.com"}, {"listen", "0.0.0.0:1"}}), "");
}

TEST(ChecksTest, LetsEverybodyWatchInDeveloperMode) {
  const auto loaded = LoadCoreConfig(SourcesOf({{"dev", "true"}}));

  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->config.policy().unknown_watcher(), v1::UNKNOWN_WATCHER_POLICY_ALLOW);
  EXPECT_EQ(loaded->origins.at("policy.unknown_watcher").where, "developer mode");
}

TEST(ChecksTest, LeavesAPolicyThatIsSetAloneInDeveloperMode) {
  const auto loaded =
      LoadCoreConfig(SourcesOf({{"dev", "true"}, {"policy.unknown_watcher", "pending"}}));

  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->config.policy().unknown_watcher(), v1::UNKNOWN_WATCHER_POLICY_PENDING);
}

TEST(ChecksTest, LeavesThePolicyToThePackagesOutsideDeveloperMode) {
  const auto loaded = LoadCoreConfig(SourcesOf({{"domains", "example.com"}}));

  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->config.policy().unknown_watcher(), v1::UNKNOWN_WATCHER_POLICY_UNSPECIFIED);
}

TEST(ChecksTest, RefusesLifetimesThatContradictEachOther) {
  EXPECT_EQ(
      CoreFaults({{"dev", "true"}, {"publish.min_expires", "2h"}, {"publish.max_expires", "1h"}}),
      "--set publish.min_expires: publish.min_expires 2h is longer than publish.max_expires "
      "1h (--set publish.max_expires)");
  EXPECT_THAT(
      CoreFaults(
          {{"dev", "true"}, {"subscribe.default_expires", "2h"}, {"subscribe.max_expires", "1h"}}),
      HasSubstr("subscribe.default_expires 2h is longer than subscribe.max_expires 1h"));
  EXPECT_THAT(
      CoreFaults(
          {{"dev", "true"}, {"subscribe.min_expires", "2h"}, {"subscribe.default_expires", "1h"}}),
      HasSubstr("subscribe.min_expires 2h is longer than subscribe.default_expires 1h"));
}

TEST(ChecksTest, TakesEqualLifetimes) {
  EXPECT_EQ(CoreFaults({{"dev", "true"},
                        {"publish.min_expires", "1h"},
                        {"publish.default_expires", "1h"},
                        {"publish.max_expires", "1h"}}),
            "");
}

TEST(ChecksTest, HoldsAPackagesLifetimesAgainstThoseOfTheSection) {
  EXPECT_EQ(CoreFaults({{"dev", "true"},
                        {"publish.max_expires", "1h"},
                        {"publish.packages.presence.min_expires", "2h"}}),
            "--set publish.packages.presence.min_expires: publish.packages.presence.min_expires 2h "
            "is longer than publish.max_expires 1h (--set publish.max_expires)");
  EXPECT_EQ(CoreFaults({{"dev", "true"},
                        {"publish.max_expires", "1h"},
                        {"publish.packages.presence.min_expires", "2h"},
                        {"publish.packages.presence.max_expires", "3h"}}),
            "");
}

TEST(ChecksTest, SaysAFaultOfTheSectionOnce) {
  const std::string faults = CoreFaults({{"dev", "true"},
                                         {"publish.min_expires", "2h"},
                                         {"publish.max_expires", "1h"},
                                         {"publish.packages.presence.default_expires", "90m"}});

  EXPECT_EQ(faults.find("publish.min_expires 2h is longer than publish.max_expires 1h"),
            faults.rfind("publish.min_expires 2h is longer than publish.max_expires 1h"));
}

TEST(ChecksTest, RefusesACoreThatNobodyCouldReach) {
  EXPECT_THAT(CoreFaults({{"dev", "true"}, {"listen", ""}}), HasSubstr("listen is empty"));
  EXPECT_EQ(CoreFaults({{"dev", "true"}, {"listen", ""}, {"unix_socket", "/tmp/x"}}), "");
}

TEST(ChecksTest, RefusesAGatewayWithoutListenerOrCore) {
  EXPECT_THAT(GatewayFaults({{"dev", "true"}, {"listen", ""}, {"core.addresses", ""}}),
              AllOf(HasSubstr("listen is empty"), HasSubstr("core.addresses is empty")));
}

TEST(ChecksTest, RefusesT1AboveT2) {
  EXPECT_EQ(GatewayFaults({{"dev", "true"}, {"sip.t1", "5s"}}),
            "--set sip.t1: sip.t1 5s is longer than sip.t2 4s (default)");
}

TEST(ChecksTest, TakesEveryPairOfModesThatStoresSomething) {
  const std::vector<std::string> modes{"memory", "write-back", "write-through"};
  for (const std::string& publications : modes) {
    for (const std::string& subscriptions : modes) {
      SCOPED_TRACE(publications + " " + subscriptions);
      const bool is_nothing = publications == "memory" && subscriptions == "memory";
      const auto faults_of = [&](const std::string& backend) {
        return CoreFaults({{"dev", "true"},
                           {"storage.backend", backend},
                           {"storage.publications", publications},
                           {"storage.subscriptions", subscriptions}});
      };
      EXPECT_EQ(faults_of("postgres").empty(), !is_nothing);
      EXPECT_EQ(faults_of("memory").empty(), is_nothing);
    }
  }
}

TEST(ChecksTest, SaysWhyAPairOfModesIsRefusedAndWhichAreAllowed) {
  EXPECT_THAT(CoreFaults({{"dev", "true"}, {"storage.subscriptions", "write-back"}}),
              AllOf(HasSubstr("--set storage.subscriptions: storage.subscriptions write-back does "
                              "not go with storage.backend memory (default)"),
                    HasSubstr("write-back and write-through are for the backend postgres"),
                    testing::Not(HasSubstr("storage.publications"))));
  EXPECT_THAT(
      CoreFaults({{"dev", "true"}, {"storage.backend", "postgres"}, {"storage.mode", "memory"}}),
      AllOf(HasSubstr("--set storage.mode: storage.mode memory"),
            HasSubstr("allowed for postgres are all pairs of memory, write-back and "
                      "write-through but that one")));
}

TEST(ChecksTest, LetsTheStorageModeSpeakForWhatIsNotSet) {
  const auto loaded = LoadCoreConfig(SourcesOf({{"dev", "true"},
                                                {"storage.backend", "postgres"},
                                                {"storage.mode", "write-back"},
                                                {"storage.subscriptions", "write-through"}}));

  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->config.storage().publications(), v1::STORAGE_MODE_WRITE_BACK);
  EXPECT_EQ(loaded->config.storage().subscriptions(), v1::STORAGE_MODE_WRITE_THROUGH);
}

}  // namespace
}  // namespace presence
