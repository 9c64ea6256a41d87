#include "configuration/package_settings.h"

#include "configuration/loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence {
namespace {

using testing::Eq;
using testing::Optional;

v1::CoreConfig Load(const std::vector<std::pair<std::string, std::string>>& settings) {
  ConfigSources sources;
  sources.flags.push_back({.key = "domains", .values = {"example.com"}});
  for (const auto& [key, value] : settings) {
    sources.flags.push_back({.key = key, .values = {value}});
  }
  const auto loaded = LoadCoreConfig(sources);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return loaded.ok() ? loaded->config : v1::CoreConfig();
}

TEST(PackageSettingsTest, LeavesToThePackageWhatNobodySet) {
  const PackageSettings settings = SettingsFor(Load({}), "presence");

  EXPECT_THAT(settings.publication.minimum, Eq(std::nullopt));
  EXPECT_THAT(settings.subscription.maximum, Eq(std::nullopt));
  EXPECT_THAT(settings.subscription.fallback, Eq(std::nullopt));
  EXPECT_EQ(settings.unknown_watcher, v1::UNKNOWN_WATCHER_POLICY_UNSPECIFIED);
  EXPECT_EQ(settings.min_expires_action, v1::MIN_EXPIRES_ACTION_REJECT);
  EXPECT_EQ(settings.initial_notify, v1::INITIAL_NOTIFY_ALWAYS);
  EXPECT_EQ(settings.min_notify_interval, absl::ZeroDuration());
}

TEST(PackageSettingsTest, TakesWhatIsSetForAllPackages) {
  const PackageSettings settings = SettingsFor(Load({{"publish.min_expires", "1m"},
                                                     {"publish.max_expires", "3m"},
                                                     {"publish.default_expires", "2m"},
                                                     {"subscribe.max_expires", "4m"},
                                                     {"policy.unknown_watcher", "block"},
                                                     {"min_expires_action", "raise"},
                                                     {"initial_notify", "never"},
                                                     {"notify.min_interval", "5s"}}),
                                               "presence");

  EXPECT_THAT(settings.publication.minimum, Optional(absl::Minutes(1)));
  EXPECT_THAT(settings.publication.maximum, Optional(absl::Minutes(3)));
  EXPECT_THAT(settings.publication.fallback, Optional(absl::Minutes(2)));
  EXPECT_THAT(settings.subscription.maximum, Optional(absl::Minutes(4)));
  EXPECT_EQ(settings.unknown_watcher, v1::UNKNOWN_WATCHER_POLICY_BLOCK);
  EXPECT_EQ(settings.min_expires_action, v1::MIN_EXPIRES_ACTION_RAISE);
  EXPECT_EQ(settings.initial_notify, v1::INITIAL_NOTIFY_NEVER);
  EXPECT_EQ(settings.min_notify_interval, absl::Seconds(5));
}

TEST(PackageSettingsTest, PrefersWhatIsSetForThePackage) {
  const v1::CoreConfig config = Load({{"publish.min_expires", "1m"},
                                      {"publish.max_expires", "3m"},
                                      {"publish.packages.presence.min_expires", "0"},
                                      {"policy.unknown_watcher", "block"},
                                      {"policy.packages.presence.unknown_watcher", "allow"},
                                      {"packages.presence.min_expires_action", "raise"},
                                      {"packages.presence.initial_notify", "when_state"},
                                      {"notify.min_interval", "5s"},
                                      {"notify.packages.presence.min_interval", "0"}});

  const PackageSettings presence = SettingsFor(config, "presence");
  EXPECT_THAT(presence.publication.minimum, Optional(absl::ZeroDuration()));
  EXPECT_THAT(presence.publication.maximum, Optional(absl::Minutes(3)));
  EXPECT_EQ(presence.unknown_watcher, v1::UNKNOWN_WATCHER_POLICY_ALLOW);
  EXPECT_EQ(presence.min_expires_action, v1::MIN_EXPIRES_ACTION_RAISE);
  EXPECT_EQ(presence.initial_notify, v1::INITIAL_NOTIFY_WHEN_STATE);
  EXPECT_EQ(presence.min_notify_interval, absl::ZeroDuration());

  const PackageSettings dialog = SettingsFor(config, "dialog");
  EXPECT_THAT(dialog.publication.minimum, Optional(absl::Minutes(1)));
  EXPECT_EQ(dialog.unknown_watcher, v1::UNKNOWN_WATCHER_POLICY_BLOCK);
  EXPECT_EQ(dialog.min_expires_action, v1::MIN_EXPIRES_ACTION_REJECT);
  EXPECT_EQ(dialog.min_notify_interval, absl::Seconds(5));
}

}  // namespace
}  // namespace presence
