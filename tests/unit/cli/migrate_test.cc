// presencectl migrate kamailio: files, exit codes, and what it prints.
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/cli/cli_test_base.h"

namespace presence::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kScript[] = "tests/golden/kamailio/kamailio.cfg";

std::string TextOf(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class MigrateTest : public CliTest {
 protected:
  MigrateTest() {
    std::string directory = "/tmp/presencectl-migrate-XXXXXX";
    directory_ = mkdtemp(directory.data());
  }
  ~MigrateTest() override { std::filesystem::remove_all(directory_); }

  std::string Path(const std::string& name) { return directory_ / name; }
  std::string WriteScript(const std::string& text) {
    std::ofstream(directory_ / "k.cfg") << text;
    return Path("k.cfg");
  }
  Outcome Migrate(const std::string& script, const std::string& options) {
    return Presencectl(absl::StrCat("migrate kamailio --cfg ", script, " ", options));
  }

  std::filesystem::path directory_;
};

TEST_F(MigrateTest, WritesAFileForEachProgramIntoANewDirectory) {
  const Outcome run = Migrate(kScript, "--out-dir " + Path("a/b"));

  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("written  " + Path("a/b/presence-core.yaml")),
                             HasSubstr("written  " + Path("a/b/sip-gateway.yaml"))));
  EXPECT_EQ(TextOf(Path("a/b/presence-core.yaml")),
            TextOf("tests/golden/kamailio/presence-core.yaml"));
  EXPECT_EQ(TextOf(Path("a/b/sip-gateway.yaml")), TextOf("tests/golden/kamailio/sip-gateway.yaml"));
}

TEST_F(MigrateTest, ReplacesNoFileUnlessForced) {
  std::ofstream(Path("sip-gateway.yaml")) << "mine";

  const Outcome run = Migrate(kScript, "--out-dir " + directory_.string());

  EXPECT_EQ(run.exit_code, 6);
  EXPECT_THAT(run.err, AllOf(HasSubstr("sip-gateway.yaml exists"), HasSubstr("--force")));
  EXPECT_THAT(run.out, IsEmpty());
  EXPECT_EQ(TextOf(Path("sip-gateway.yaml")), "mine");
  EXPECT_FALSE(std::filesystem::exists(Path("presence-core.yaml")));
  EXPECT_EQ(Migrate(kScript, "--force --out-dir " + directory_.string()).exit_code, 0);
  EXPECT_THAT(TextOf(Path("sip-gateway.yaml")), HasSubstr("contact: sip:presence@192.0.2.10:5070"));
}

TEST_F(MigrateTest, WritesNothingInADryRun) {
  const Outcome run = Migrate(kScript, "--dry-run --out-dir " + Path("a"));

  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_FALSE(std::filesystem::exists(Path("a")));
}

TEST_F(MigrateTest, SaysThatADirectoryCannotBeMade) {
  std::ofstream(Path("file")) << "";

  const Outcome run = Migrate(kScript, "--out-dir " + Path("file/a"));

  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr(Path("file")));
}

TEST_F(MigrateTest, TakesDefinesAsKamailioTakesThem) {
  const std::string script = WriteScript(
      "#!ifdef WITH_PRESENCE\nloadmodule \"presence.so\"\n#!endif\n"
      "modparam(\"presence\", \"max_expires\", LIFETIME)\n");

  const Outcome run = Migrate(script, "--dry-run --define WITH_PRESENCE --define LIFETIME=1800");

  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("publish.max_expires: 30m, subscribe.max_expires: 30m"));
}

TEST_F(MigrateTest, SaysWhenTheScriptHasNoPresence) {
  const Outcome run = Migrate(WriteScript("loadmodule \"tm.so\"\n"), "--dry-run");

  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.err, AllOf(HasSubstr("presence is not loaded"), HasSubstr("--define")));
}

TEST_F(MigrateTest, SaysWhereTheScriptIsWrong) {
  const Outcome run = Migrate(WriteScript("\n#!ifdef A\n"), "--dry-run");

  EXPECT_EQ(run.exit_code, 8);
  EXPECT_THAT(run.err, HasSubstr("k.cfg:2: "));
}

TEST_F(MigrateTest, SaysThatThereIsNoScript) {
  const Outcome run = Migrate(Path("none.cfg"), "--dry-run");

  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.err, HasSubstr("none.cfg: cannot be read"));
}

TEST_F(MigrateTest, SaysThatADirectoryIsNoScript) {
  EXPECT_EQ(Migrate(directory_.string(), "--dry-run").exit_code, 3);
}

TEST_F(MigrateTest, NamesADomainThatIsNone) {
  const Outcome run = Migrate(kScript, "--dry-run --domain 'a b'");

  EXPECT_EQ(run.exit_code, 8);
  EXPECT_THAT(run.err, HasSubstr("domains is \"a b\""));
}

TEST_F(MigrateTest, ShowsNoPasswordInAnyFormat) {
  for (const char* format : {"table", "json", "jsonl"}) {
    const Outcome run = Migrate(kScript, absl::StrCat("--dry-run -o ", format));
    EXPECT_THAT(run.out, HasSubstr("postgres://kamailio:***@db.example.com/presence")) << format;
    EXPECT_THAT(run.out + run.err, Not(HasSubstr("s3cr3t"))) << format;
  }
}

TEST_F(MigrateTest, NeedsNoServer) {
  variables_["PRESENCE_SERVER"] = "127.0.0.1:1";

  EXPECT_EQ(Migrate(kScript, "--dry-run").exit_code, 0);
}

}  // namespace
}  // namespace presence::cli
