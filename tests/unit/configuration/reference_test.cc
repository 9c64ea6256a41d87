#include "configuration/reference.h"

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "configuration/loader.h"
#include "configuration/sample.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/unit/configuration/config_file.h"

namespace presence {
namespace {

using testing::HasSubstr;

// Tests run in the root of the repository.
std::string Committed(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ReferenceTest, IsWhatIsCommitted) {
  EXPECT_EQ(Committed("docs/operations/configuration.md"), ConfigurationReference())
      << "run: configuration_reference markdown > docs/operations/configuration.md";
}

TEST(ReferenceTest, SamplesAreWhatIsCommitted) {
  EXPECT_EQ(Committed("examples/presence-core.yaml"),
            SampleYaml(CoreConfigSchema(), SampleValues::kCommentedOut))
      << "run: configuration_reference core > examples/presence-core.yaml";
  EXPECT_EQ(Committed("examples/sip-gateway.yaml"),
            SampleYaml(GatewayConfigSchema(), SampleValues::kCommentedOut))
      << "run: configuration_reference gateway > examples/sip-gateway.yaml";
}

TEST(ReferenceTest, NamesEveryKeyAndItsVariable) {
  const std::string reference = ConfigurationReference();
  for (const ConfigSchema* schema : {&CoreConfigSchema(), &GatewayConfigSchema()}) {
    for (const ConfigKey& key : schema->keys()) {
      EXPECT_THAT(reference, HasSubstr(absl::StrCat("#### `", key.name, "`\n")));
      EXPECT_THAT(reference, HasSubstr(absl::StrCat("`", schema->EnvironmentName(key), "`")));
    }
  }
}

// Parameters of the module that DESIGN promises a successor for, where this version has it.
TEST(ReferenceTest, NamesTheSuccessorOfEachModuleParameter) {  // O06
  const std::string reference = ConfigurationReference();
  for (const char* parameter :
       {"clean_period",       "cseq_offset",       "waitn_time",      "notifier_processes",
        "force_delete",       "expires_offset",    "max_expires",     "min_expires",
        "min_expires_action", "server_address",    "subs_db_mode",    "publ_cache",
        "send_fast_notify",   "timeout_rm_subs",   "local_log_level", "local_log_facility",
        "retrieve_order",     "retrieve_order_by", "sip_uri_match",   "delete_same_subs"}) {
    EXPECT_THAT(reference, HasSubstr(absl::StrCat("\n| ", parameter, " | ")));
  }
}

TEST(ReferenceTest, SampleWithEverythingSetIsAValidConfiguration) {
  const ConfigFile core(SampleYaml(CoreConfigSchema(), SampleValues::kSet));
  ConfigSources sources;
  sources.file = core.path();
  const auto loaded_core = LoadCoreConfig(sources);
  ASSERT_TRUE(loaded_core.ok()) << loaded_core.status();
  for (const ConfigKey& key : CoreConfigSchema().keys()) {
    const std::string name = ConfigTarget{&key, "presence"}.Name();
    ASSERT_TRUE(loaded_core->origins.contains(name)) << name;
    EXPECT_EQ(loaded_core->origins.at(name).source, ConfigOrigin::Source::kFile) << name;
  }
}

TEST(ReferenceTest, GatewaySampleWithEverythingSetIsAValidConfiguration) {
  const ConfigFile gateway(SampleYaml(GatewayConfigSchema(), SampleValues::kSet));
  ConfigSources sources;
  sources.file = gateway.path();
  const auto loaded = LoadGatewayConfig(sources);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  for (const ConfigKey& key : GatewayConfigSchema().keys()) {
    EXPECT_EQ(loaded->origins.at(key.name).source, ConfigOrigin::Source::kFile) << key.name;
  }
}

TEST(ReferenceTest, SampleAsItComesChangesNothing) {
  const ConfigFile file(SampleYaml(CoreConfigSchema(), SampleValues::kCommentedOut));
  ConfigSources sources;
  sources.flags = {{.key = "dev", .values = {"true"}}};
  const auto plain = LoadCoreConfig(sources);
  sources.file = file.path();
  const auto with_file = LoadCoreConfig(sources);

  ASSERT_TRUE(with_file.ok()) << with_file.status();
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(with_file->config, plain->config));
}

}  // namespace
}  // namespace presence
