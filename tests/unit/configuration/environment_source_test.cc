#include "configuration/environment_source.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace presence {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class EnvironmentSourceTest : public testing::Test {
 protected:
  std::vector<ConfigAssignment> Read(const EnvironmentVariables& environment,
                                     const std::vector<std::string>& events = {}) {
    return ReadEnvironment(environment, events, CoreConfigSchema(), faults_);
  }

  ConfigFaults faults_;
};

TEST_F(EnvironmentSourceTest, ReadsAKeyFromItsVariable) {
  const auto read = Read({{"PRESENCE_CORE_PUBLISH_MAX_EXPIRES", "2h"}});

  ASSERT_THAT(read, SizeIs(1));
  EXPECT_EQ(read[0].key, "publish.max_expires");
  EXPECT_EQ(read[0].values, std::vector<std::string>{"2h"});
  EXPECT_EQ(read[0].origin.where, "PRESENCE_CORE_PUBLISH_MAX_EXPIRES");
  EXPECT_TRUE(faults_.empty());
}

TEST_F(EnvironmentSourceTest, LeavesTheVariablesOfOthersAlone) {
  EXPECT_THAT(Read({{"HOME", "/"},
                    {"PRESENCE_SERVER", "127.0.0.1:1"},
                    {"PRESENCE_GATEWAY_LISTEN", "udp:127.0.0.1:5060"}}),
              IsEmpty());
  EXPECT_TRUE(faults_.empty());
}

TEST_F(EnvironmentSourceTest, FindsTheEventPackageByItsNameInCapitals) {
  const std::vector<std::string> events = {"presence", "dialog", "dialog;sla", "message-summary"};
  const auto read = Read({{"PRESENCE_CORE_POLICY_PACKAGES_DIALOG_SLA_UNKNOWN_WATCHER", "allow"},
                          {"PRESENCE_CORE_NOTIFY_PACKAGES_PRESENCE_WINFO_MIN_INTERVAL", "1s"},
                          {"PRESENCE_CORE_PACKAGES_MESSAGE_SUMMARY_INITIAL_NOTIFY", "never"}},
                         events);

  ASSERT_THAT(read, SizeIs(3));
  EXPECT_EQ(read[0].key, "policy.packages.dialog;sla.unknown_watcher");
  EXPECT_EQ(read[1].key, "notify.packages.presence.winfo.min_interval");
  EXPECT_EQ(read[2].key, "packages.message-summary.initial_notify");
}

TEST_F(EnvironmentSourceTest, ReadsUnderscoresAsHyphensWhereNoPackagesAreKnown) {
  const auto read =
      Read({{"PRESENCE_CORE_POLICY_PACKAGES_MESSAGE_SUMMARY_UNKNOWN_WATCHER", "allow"}});

  ASSERT_THAT(read, SizeIs(1));
  EXPECT_EQ(read[0].key, "policy.packages.message-summary.unknown_watcher");
}

TEST_F(EnvironmentSourceTest, RefusesAVariableOfOursThatNamesNoKey) {
  EXPECT_THAT(Read({{"PRESENCE_CORE_LISTENN", "127.0.0.1:1"}}), IsEmpty());

  EXPECT_THAT(std::string(faults_.status().message()),
              HasSubstr("PRESENCE_CORE_LISTENN: no key has this variable; did you mean "
                        "PRESENCE_CORE_LISTEN?"));
}

TEST_F(EnvironmentSourceTest, SeesTheVariablesOfTheProcess) {
  ASSERT_EQ(setenv("PRESENCE_CORE_LISTEN", "127.0.0.1:9", 1), 0);
  const EnvironmentVariables environment = ProcessEnvironment();
  unsetenv("PRESENCE_CORE_LISTEN");

  EXPECT_THAT(environment, testing::Contains(testing::Pair("PRESENCE_CORE_LISTEN", "127.0.0.1:9")));
}

}  // namespace
}  // namespace presence
