// The help is documentation that people copy from: every example in it is run here.
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/unit/cli/cli_test_base.h"

namespace presence::cli {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

std::vector<std::string> ExamplesOf(const std::string& page) {
  std::vector<std::string> examples;
  const std::size_t begin = page.find("\nExamples:\n");
  if (begin == std::string::npos) return examples;
  for (absl::string_view line : absl::StrSplit(page.substr(begin + 11), '\n')) {
    if (absl::ConsumePrefix(&line, "  presencectl ")) examples.emplace_back(line);
  }
  return examples;
}

class HelpTest : public CliTest {};

TEST_F(HelpTest, EveryPageEndsWithExamples) {
  const auto pages = HelpPages();

  EXPECT_EQ(pages.size(), 26u) << "a command without a help page, or one that is new";
  for (const auto& [command, page] : pages) {
    const bool is_group = absl::StrContains(page, "\nSubcommands:\n");
    EXPECT_GE(ExamplesOf(page).size(), is_group ? 1u : 3u) << command;
  }
}

// Each example gets a server of its own, since some remove what others need.
class ExampleTest : public CliTest {
 public:
  void TestBody() override {}

  Outcome Try(const std::string& example) {
    fake_.OnIdleWatch([this] { interrupt_.request_stop(); });
    return Presencectl(example);
  }
  std::map<std::string, std::string> Pages() { return HelpPages(); }
};

class ExamplesTest : public testing::Test {
 protected:
  ExamplesTest() {
    std::string directory = "/tmp/presencectl-examples-XXXXXX";
    directory_ = mkdtemp(directory.data());
    before_ = get_current_dir_name();
    EXPECT_EQ(chdir(directory_.c_str()), 0);
    std::ofstream("busy.xml") << Pidf("closed", "Busy").body();
    std::ofstream("kamailio.cfg") << "loadmodule \"presence.so\"\n";
  }
  ~ExamplesTest() override {
    EXPECT_EQ(chdir(before_), 0);
    free(before_);
    std::filesystem::remove_all(directory_);
  }

 private:
  std::string directory_;
  char* before_ = nullptr;
};

TEST_F(ExamplesTest, EveryExampleOfEveryPageWorks) {
  int examples = 0;
  for (const auto& [command, page] : ExampleTest().Pages()) {
    for (const std::string& example : ExamplesOf(page)) {
      // Those with a database are run beside one, by tests/scenarios/migration_test.py.
      if (absl::StrContains(example, " --db ")) continue;
      const Outcome run = ExampleTest().Try(example);

      // One that watches for ever is interrupted once it has shown what there is.
      const bool runs_for_ever = absl::StartsWith(example, "watch ");
      EXPECT_THAT(run.exit_code, runs_for_ever ? AnyOf(0, 130) : AnyOf(0, 0))
          << "presencectl " << example << "\n"
          << run.err;
      ++examples;
    }
  }
  EXPECT_EQ(examples, 66) << "the parser of this test overlooks some, or some are new";
}

TEST_F(HelpTest, TheRootTellsTheExitCodesAndTheEnvironment) {
  const Outcome run = Presencectl("--help");

  EXPECT_THAT(run.out, HasSubstr("130 interrupted"));
  EXPECT_THAT(run.out, HasSubstr("PRESENCE_SERVER"));
  EXPECT_THAT(run.out, HasSubstr("NO_COLOR"));
}

TEST_F(HelpTest, HelpNeedsNoServerAndNoRequiredArguments) {
  variables_["PRESENCE_SERVER"] = "not an address";

  EXPECT_EQ(Presencectl("watcher approve --help").exit_code, 0);
}

TEST_F(HelpTest, TheVersionNeedsNoServer) {
  const Outcome run = Presencectl("--version");

  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.out, "presencectl " PRESENCE_VERSION "\n");
}

}  // namespace
}  // namespace presence::cli
