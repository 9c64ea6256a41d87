#include "configuration/command_line.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/configuration/config_file.h"

namespace presence {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Eq;
using testing::HasSubstr;
using testing::Optional;

// A program with the command line of a core.
class CoreProgram {
 public:
  explicit CoreProgram(EnvironmentVariables environment = {})
      : command_line_(app_, CoreConfigSchema(), {"presence"}, std::move(environment)) {
    app_.add_subcommand("dev", "Developer mode");
  }

  // CLI11 takes arguments from the back.
  void Parse(std::vector<std::string> args) {
    std::reverse(args.begin(), args.end());
    app_.parse(std::move(args));
    if (app_.got_subcommand("dev")) command_line_.Set("dev", "true", "command dev");
  }

  absl::StatusOr<LoadedConfig<v1::CoreConfig>> Load() {
    return LoadCoreConfig(command_line_.Sources());
  }

  std::optional<int> RunConfigCommand() { return command_line_.RunConfigCommand(out_, err_); }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }
  std::string help() const { return app_.help(); }

 private:
  CLI::App app_{"Test", "presence-core"};
  ConfigCommandLine command_line_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST(CommandLineTest, TakesFlagsOfKeysBeforeAndAfterACommand) {
  CoreProgram program;

  program.Parse({"--listen", "127.0.0.1:1", "dev", "--listen", "[::1]:2", "--storage", "memory"});

  const auto loaded = program.Load();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_THAT(loaded->config.listen(), ElementsAre("127.0.0.1:1", "[::1]:2"));
  EXPECT_TRUE(loaded->config.dev());
  EXPECT_EQ(loaded->origins.at("listen").where, "--listen");
  EXPECT_EQ(loaded->origins.at("storage.backend").where, "--storage");
  EXPECT_EQ(loaded->origins.at("dev").where, "command dev");
  EXPECT_EQ(program.RunConfigCommand(), std::nullopt);
}

TEST(CommandLineTest, ReadsFileEnvironmentAndSettingsInTheirOrder) {
  const ConfigFile file("publish: {max_expires: 1h, expires_margin: 1s}\nlog: {level: debug}\n");
  CoreProgram program(
      {{"PRESENCE_CORE_PUBLISH_MAX_EXPIRES", "2h"}, {"PRESENCE_CORE_LOG_LEVEL", "error"}});

  program.Parse({"dev", "--config", file.path(), "--set", "publish.max_expires=3h", "--set",
                 "compose.order=received"});

  const auto loaded = program.Load();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->config.publish().max_expires().seconds(), 3 * 3600);
  EXPECT_EQ(loaded->config.publish().expires_margin().seconds(), 1);
  EXPECT_EQ(loaded->config.log().level(), v1::LOG_LEVEL_ERROR);
  EXPECT_EQ(loaded->config.compose().order(), v1::COMPOSE_ORDER_RECEIVED);
}

TEST(CommandLineTest, PrefersAFlagOfItsOwnToSet) {
  CoreProgram program;

  program.Parse({"dev", "--listen", "127.0.0.1:1", "--set", "listen=127.0.0.1:2"});

  EXPECT_THAT(program.Load()->config.listen(), ElementsAre("127.0.0.1:1"));
}

TEST(CommandLineTest, TakesTheLastOfAFlagThatHasOneValue) {
  CoreProgram program;

  program.Parse({"dev", "--ops-listen", "127.0.0.1:1", "--ops-listen", "127.0.0.1:2"});

  EXPECT_EQ(program.Load()->config.ops_listen(), "127.0.0.1:2");
}

TEST(CommandLineTest, RefusesASettingWithoutAValue) {
  CoreProgram program;

  program.Parse({"dev", "--set", "publish.max_expires"});

  EXPECT_THAT(std::string(program.Load().status().message()),
              HasSubstr("publish.max_expires is \"\": given without a value; allowed: 1s to 30d"));
}

TEST(CommandLineTest, KeepsAnEqualsSignThatIsPartOfTheValue) {
  CoreProgram program;

  program.Parse({"dev", "--set", "unix_socket=/tmp/a=b"});

  EXPECT_EQ(program.Load()->config.unix_socket(), "/tmp/a=b");
}

TEST(CommandLineTest, RefusesAnUnknownFlag) {
  CoreProgram program;

  EXPECT_THROW(program.Parse({"dev", "--lisen", "127.0.0.1:1"}), CLI::ParseError);
}

TEST(CommandLineTest, ExplainsFlagsInHelp) {
  const CoreProgram program;

  EXPECT_THAT(program.help(),
              AllOf(HasSubstr("--config"), HasSubstr("--set"), HasSubstr("--ops-listen"),
                    HasSubstr("Address of the HTTP server for operations"),
                    HasSubstr("[ops_listen, default: 127.0.0.1:7461]"),
                    HasSubstr("--ops-listen VALUE  "), HasSubstr("--listen VALUE ...  ")));
}

TEST(CommandLineTest, ShowsTheConfigurationAndItsOrigins) {
  CoreProgram program;

  program.Parse({"config", "show", "--origin", "--domain", "example.com"});

  EXPECT_THAT(program.RunConfigCommand(), Optional(Eq(0)));
  EXPECT_THAT(program.out(), testing::ContainsRegex("domains: \\[example.com\\] +# --domain\n"));
  EXPECT_EQ(program.err(), "");
}

TEST(CommandLineTest, ChecksTheConfiguration) {
  CoreProgram good;
  good.Parse({"config", "check", "--domain", "example.com"});
  EXPECT_THAT(good.RunConfigCommand(), Optional(Eq(0)));
  EXPECT_EQ(good.out(), "");

  CoreProgram bad;
  bad.Parse({"config", "check", "--set", "log.level=loud"});
  EXPECT_THAT(bad.RunConfigCommand(), Optional(Eq(kBadConfigurationExit)));
  EXPECT_THAT(bad.err(), HasSubstr("log.level is \"loud\""));
}

TEST(CommandLineTest, PrintsASampleThatItTakesBack) {
  CoreProgram program;
  program.Parse({"config", "sample"});
  ASSERT_THAT(program.RunConfigCommand(), Optional(Eq(0)));
  const ConfigFile file(program.out());

  CoreProgram reader;
  reader.Parse({"dev", "--config", file.path()});

  EXPECT_TRUE(reader.Load().ok());
}

TEST(CommandLineTest, PrintsEveryKeyWithHelpAll) {
  CoreProgram program;

  program.Parse({"--help-all"});

  EXPECT_THAT(program.RunConfigCommand(), Optional(Eq(0)));
  for (const ConfigKey& key : CoreConfigSchema().keys()) {
    EXPECT_THAT(program.out(), HasSubstr(absl::StrCat("\n  ", key.name, "\n")));
  }
}

TEST(CommandLineTest, TakesFlagsWithoutAValueForBooleans) {
  CLI::App app("Test", "sip-gateway");
  ConfigCommandLine command_line(app, GatewayConfigSchema(), {}, {});

  app.parse("--dev --listen udp:127.0.0.1:0 --listen tcp:127.0.0.1:0 --core unix:/tmp/x");

  const auto loaded = LoadGatewayConfig(command_line.Sources());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(loaded->config.dev());
  EXPECT_THAT(loaded->config.listen(), ElementsAre("udp:127.0.0.1:0", "tcp:127.0.0.1:0"));
  EXPECT_THAT(loaded->config.core().addresses(), ElementsAre("unix:/tmp/x"));
}

}  // namespace
}  // namespace presence
