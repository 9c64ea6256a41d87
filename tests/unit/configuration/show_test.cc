#include "configuration/show.h"

#include "configuration/loader.h"
#include "configuration/value.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/unit/configuration/config_file.h"

namespace presence {
namespace {

using testing::HasSubstr;
using testing::Not;

LoadedConfig<v1::CoreConfig> Load(const ConfigSources& sources) {
  auto loaded = LoadCoreConfig(sources);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return loaded.ok() ? *std::move(loaded) : LoadedConfig<v1::CoreConfig>();
}

ConfigSources Sources() {
  ConfigSources sources;
  sources.environment = {{"PRESENCE_CORE_DOMAINS", "example.com,example.org"},
                         {"PRESENCE_CORE_PUBLISH_MAX_EXPIRES", "90m"}};
  sources.flags = {
      {.key = "policy.packages.dialog;sla.unknown_watcher",
       .values = {"block"},
       .origin = {ConfigOrigin::Source::kFlag, "--set policy.packages.dialog;sla.unknown_watcher"}},
      {.key = "limits.max_document_bytes",
       .values = {"65536"},
       .origin = {ConfigOrigin::Source::kFlag, "--set limits.max_document_bytes"}}};
  return sources;
}

TEST(ShowTest, PrintsValuesInForce) {
  const auto loaded = Load(Sources());

  const std::string text = ShowConfig(CoreConfigSchema(), loaded.config, loaded.origins, false);

  EXPECT_THAT(text, HasSubstr("domains: [example.com, example.org]\n"));
  EXPECT_THAT(text, HasSubstr("publish.max_expires: 1h30m\n"));
  EXPECT_THAT(text, HasSubstr("limits.max_document_bytes: 64KiB\n"));
  EXPECT_THAT(text, HasSubstr("policy.packages.dialog;sla.unknown_watcher: block\n"));
  EXPECT_THAT(text, Not(HasSubstr("publish.min_expires")));  // nothing has set it
}

TEST(ShowTest, SaysWhereEachValueComesFrom) {
  const auto loaded = Load(Sources());

  const std::string text = ShowConfig(CoreConfigSchema(), loaded.config, loaded.origins, true);

  EXPECT_THAT(text, testing::ContainsRegex("publish.max_expires: 1h30m +# "
                                           "PRESENCE_CORE_PUBLISH_MAX_EXPIRES\n"));
  EXPECT_THAT(text, testing::ContainsRegex("ops_listen: 127.0.0.1:7461 +# default\n"));
  EXPECT_THAT(text, testing::ContainsRegex("max_document_bytes: 64KiB +# --set limits"));
}

TEST(ShowTest, PrintsAFileThatSetsTheSameAgain) {
  const auto loaded = Load(Sources());
  const ConfigFile file(ShowConfig(CoreConfigSchema(), loaded.config, loaded.origins, true));
  ConfigSources sources;
  sources.file = file.path();

  const auto again = Load(sources);

  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(again.config, loaded.config))
      << again.config.DebugString();
}

TEST(ShowTest, MasksSecrets) {
  // No key is secret yet; one that becomes so must not be seen.
  ConfigKey key = *CoreConfigSchema().Find("unix_socket")->key;
  key.setting.set_secret(true);
  v1::CoreConfig config;
  const ConfigTarget target{&key, ""};

  ASSERT_TRUE(SetConfigValue(target, {"/run/secret"}, config).ok());

  EXPECT_EQ(ShownValue(target, config), "\"***\"");
}

}  // namespace
}  // namespace presence
