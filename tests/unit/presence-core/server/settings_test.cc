#include "presence-core/server/settings.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence {
namespace {

using testing::HasSubstr;

// The presence package grants 60 s to 24 h and, unasked, 1 h.
class SettingsTest : public testing::Test {
 protected:
  absl::StatusOr<PackageConfig> Presence() const {
    const auto engine = ToEngineConfig(config, **registry);
    if (!engine.ok()) return engine.status();
    return engine->package("presence");
  }
  std::string Fault() const { return std::string(Presence().status().message()); }
  static void Set(google::protobuf::Duration* to, absl::Duration value) {
    to->set_seconds(absl::ToInt64Seconds(value));
  }

  const absl::StatusOr<std::unique_ptr<EventRegistry>> registry = MakeBuiltinRegistry({});
  v1::CoreConfig config;
};

TEST_F(SettingsTest, LeavesToThePackageWhatIsNotConfigured) {
  const auto presence = Presence();

  ASSERT_TRUE(presence.ok()) << presence.status();
  EXPECT_EQ(presence->publication->minimum, absl::Seconds(60));
  EXPECT_EQ(presence->publication->maximum, absl::Hours(24));
  EXPECT_EQ(presence->publication->fallback, absl::Hours(1));
}

TEST_F(SettingsTest, RefusesAMinimumAboveThePackagesMaximum) {
  Set(config.mutable_publish()->mutable_min_expires(), absl::Hours(25));

  EXPECT_TRUE(absl::IsInvalidArgument(Presence().status()));
  EXPECT_THAT(Fault(), HasSubstr("publish.min_expires: 25h"));
  EXPECT_THAT(Fault(), HasSubstr("0s to 24h"));
}

TEST_F(SettingsTest, RefusesAMaximumBelowThePackagesMinimum) {
  v1::PackageLifetimes& own = (*config.mutable_subscribe()->mutable_packages())["presence"];
  Set(own.mutable_max_expires(), absl::Seconds(30));

  EXPECT_THAT(Fault(), HasSubstr("subscribe.packages.presence.max_expires: 30s"));
  EXPECT_THAT(Fault(), HasSubstr("1m to 30d"));
}

TEST_F(SettingsTest, RefusesADefaultOutsideThePackagesBounds) {
  Set(config.mutable_publish()->mutable_default_expires(), absl::Hours(48));
  Set(config.mutable_subscribe()->mutable_default_expires(), absl::Seconds(30));

  EXPECT_THAT(Fault(), HasSubstr("publish.default_expires: 2d"));
  EXPECT_THAT(Fault(), HasSubstr("subscribe.default_expires: 30s"));
  EXPECT_THAT(Fault(), HasSubstr("1m to 24h"));
}

TEST_F(SettingsTest, TakesBoundsThatGoTogether) {
  Set(config.mutable_publish()->mutable_min_expires(), absl::Hours(25));
  Set(config.mutable_publish()->mutable_max_expires(), absl::Hours(48));

  const auto presence = Presence();

  ASSERT_TRUE(presence.ok()) << presence.status();
  EXPECT_EQ(presence->publication->minimum, absl::Hours(25));
  EXPECT_EQ(presence->publication->fallback, absl::Hours(25)) << "nobody set it: it follows";
}

TEST_F(SettingsTest, ADefaultThatNobodySetFollowsALowerMaximum) {
  Set(config.mutable_subscribe()->mutable_max_expires(), absl::Minutes(30));

  const auto presence = Presence();

  ASSERT_TRUE(presence.ok()) << presence.status();
  EXPECT_EQ(presence->subscription->fallback, absl::Minutes(30));
}

TEST_F(SettingsTest, WritesDownWhoKnowsAllOnlyWhereAllOutlivesTheProcess) {
  config.mutable_notify()->set_resync_rate(7);
  config.mutable_storage()->set_publications(v1::STORAGE_MODE_WRITE_BACK);
  config.mutable_storage()->set_subscriptions(v1::STORAGE_MODE_WRITE_THROUGH);
  const auto both = ToEngineConfig(config, **registry);
  config.mutable_storage()->set_publications(v1::STORAGE_MODE_MEMORY);
  const auto one = ToEngineConfig(config, **registry);

  ASSERT_TRUE(both.ok() && one.ok());
  EXPECT_EQ(both->resync_rate, 7u);
  EXPECT_GT(both->settle_rate, 0u);
  EXPECT_EQ(one->settle_rate, 0u);
}

}  // namespace
}  // namespace presence
