#include "configuration/schema.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "configuration/describe.h"
#include "configuration/help_text.h"
#include "configuration/nearest.h"
#include "configuration/units.h"
#include "configuration/value.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence {
namespace {

using google::protobuf::FieldDescriptor;
using testing::HasSubstr;

// What every key of the config protos owes its reader, in both programs.
class EverySchemaTest : public testing::TestWithParam<const ConfigSchema* (*)()> {
 protected:
  const ConfigSchema& schema() const { return *GetParam()(); }
};
const ConfigSchema* Core() { return &CoreConfigSchema(); }
const ConfigSchema* Gateway() { return &GatewayConfigSchema(); }
INSTANTIATE_TEST_SUITE_P(Programs, EverySchemaTest, testing::Values(&Core, &Gateway),
                         [](const auto& test) { return test.index == 0 ? "core" : "gateway"; });

TEST_P(EverySchemaTest, ExplainsEveryKey) {
  ASSERT_FALSE(schema().keys().empty());
  for (const ConfigKey& key : schema().keys()) {
    EXPECT_GT(CommentOf(key.field()).size(), 10u) << key.name;
    EXPECT_FALSE(DefaultText(key).empty()) << key.name;
    EXPECT_GT(AllowedText(key).size(), 4u) << key.name;
    EXPECT_THAT(HelpSection(schema()), HasSubstr(key.name));
  }
}

TEST_P(EverySchemaTest, ExplainsEveryValueOfAnEnum) {
  for (const ConfigKey& key : schema().keys()) {
    if (key.field().cpp_type() != FieldDescriptor::CPPTYPE_ENUM) continue;
    for (int i = 1; i < key.field().enum_type()->value_count(); ++i) {
      EXPECT_FALSE(CommentOf(*key.field().enum_type()->value(i)).empty()) << key.name;
    }
  }
}

TEST_P(EverySchemaTest, BoundsEveryNumberAndDuration) {
  for (const ConfigKey& key : schema().keys()) {
    switch (key.field().cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        EXPECT_TRUE(ParseDuration(key.setting.min()).ok()) << key.name;
        EXPECT_TRUE(ParseDuration(key.setting.max()).ok()) << key.name;
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        EXPECT_LE(*ParseSize(key.setting.max()), 0xffffffffu) << key.name;
        EXPECT_TRUE(ParseSize(key.setting.min()).ok()) << key.name;
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        EXPECT_TRUE(ParseSize(key.setting.min()).ok()) << key.name;
        EXPECT_TRUE(ParseSize(key.setting.max()).ok()) << key.name;
        break;
      default:
        EXPECT_TRUE(key.setting.min().empty() && key.setting.max().empty()) << key.name;
    }
  }
}

// Numbers and booleans cannot be told apart from unset ones.
TEST_P(EverySchemaTest, HasADefaultWhereTheTypeCannotBeUnset) {
  for (const ConfigKey& key : schema().keys()) {
    const auto type = key.field().cpp_type();
    if (type == FieldDescriptor::CPPTYPE_UINT32 || type == FieldDescriptor::CPPTYPE_UINT64 ||
        type == FieldDescriptor::CPPTYPE_BOOL) {
      EXPECT_FALSE(key.setting.default_value().empty()) << key.name;
    }
  }
}

TEST_P(EverySchemaTest, NamesNoTwoKeysTheSame) {
  std::set<std::string> names;
  std::set<std::string> flags;
  for (const ConfigKey& key : schema().keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_TRUE(names.insert(schema().EnvironmentName(key)).second) << key.name;
    if (!key.setting.flag().empty()) {
      EXPECT_TRUE(flags.insert(key.setting.flag()).second) << key.name;
    }
  }
}

TEST(SchemaTest, FindsAKeyByItsPath) {
  const auto target = CoreConfigSchema().Find("publish.max_expires");

  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->Name(), "publish.max_expires");
  EXPECT_EQ(target->key->setting.replaces(), "max_expires");
}

TEST(SchemaTest, FindsAKeyOfAnEventPackageWhoseNameHasDots) {
  const auto target = CoreConfigSchema().Find("notify.packages.presence.winfo.min_interval");

  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->event, "presence.winfo");
  EXPECT_EQ(target->key->name, "notify.packages.<event>.min_interval");
  EXPECT_EQ(target->Name(), "notify.packages.presence.winfo.min_interval");
}

TEST(SchemaTest, FindsNothingElse) {
  for (const char* name : {"", "publish", "publish.", "max_expires", "publish.max_expires.x",
                           "publish.packages", "publish.packages.presence",
                           "publish.packages..max_expires", "publish.packages.max_expires"}) {
    EXPECT_FALSE(CoreConfigSchema().Find(name).has_value()) << name;
  }
}

TEST(SchemaTest, TellsSectionsFromKeys) {
  for (const char* name :
       {"publish", "publish.packages", "publish.packages.presence", "packages"}) {
    EXPECT_TRUE(CoreConfigSchema().IsSection(name)) << name;
  }
  for (const char* name : {"", "listen", "publish.max_expires", "nothing", "pub"}) {
    EXPECT_FALSE(CoreConfigSchema().IsSection(name)) << name;
  }
}

TEST(SchemaTest, SuggestsTheKeyThatWasProbablyMeant) {
  const ConfigSchema& schema = CoreConfigSchema();
  EXPECT_EQ(schema.Hint("publish.max_expire"), "; did you mean \"publish.max_expires\"?");
  EXPECT_EQ(schema.Hint("polcy.reject"), "; did you mean \"policy.reject\"?");
  EXPECT_EQ(schema.Hint("publish.packages.presence.max_expire"),
            "; did you mean \"publish.packages.presence.max_expires\"?");
  // Written without its section.
  EXPECT_EQ(schema.Hint("cseq_tolerance"), "; did you mean \"subscribe.cseq_tolerance\"?");
}

TEST(SchemaTest, TellsUsersOfTheModuleTheNewName) {
  EXPECT_EQ(CoreConfigSchema().Hint("clean_period"),
            "; the module's clean_period is \"expiry.sweep_interval\" here");
}

TEST(SchemaTest, SaysThatASectionIsNoKey) {
  EXPECT_THAT(CoreConfigSchema().Hint("storage"), HasSubstr("it is a section"));
}

TEST(SchemaTest, SuggestsNothingForWhatIsLikeNothing) {
  EXPECT_EQ(CoreConfigSchema().Hint("zzzzzzzzzzzzzzz"), "");
}

TEST(NearestNameTest, CountsEdits) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("listen", "listen"), 0u);
  EXPECT_EQ(EditDistance("listen", "lisen"), 1u);
  EXPECT_EQ(EditDistance("listen", "listenn"), 1u);
  EXPECT_EQ(EditDistance("listen", "lixten"), 1u);
  EXPECT_EQ(EditDistance("listen", "lisetn"), 1u);  // a swap is one slip of the finger
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
}

}  // namespace
}  // namespace presence
