// Every command in its three output formats, against golden files: scripts and people rely on the
// output, so a change of it must be seen in review.
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/unit/cli/cli_test_base.h"

namespace presence::cli {
namespace {

struct Command {
  std::string name;
  std::string line;
};

void PrintTo(const Command& command, std::ostream* out) { *out << command.line; }

class OutputFormatsTest : public CliTest, public testing::WithParamInterface<Command> {
 protected:
  void ExpectGoldenIn(const std::string& format) {
    const std::string line = absl::StrCat(GetParam().line, " -o ", format);
    ExpectGolden(absl::StrCat(GetParam().name, ".", format), line, Presencectl(line));
  }
};

TEST_P(OutputFormatsTest, PrintsATable) { ExpectGoldenIn("table"); }
TEST_P(OutputFormatsTest, PrintsJson) { ExpectGoldenIn("json"); }
TEST_P(OutputFormatsTest, PrintsJsonLines) { ExpectGoldenIn("jsonl"); }

INSTANTIATE_TEST_SUITE_P(
    Commands, OutputFormatsTest,
    testing::Values(
        Command{"publish",
                "publish alice@example.com --open --note \"At <my> desk & gone\" --expires 10m"},
        Command{"publish_refresh", "publish alice@example.com --etag pc1-7Q2M --expires 1h30m"},
        Command{"publish_modify", "publish alice@example.com --etag pc1-7Q2M --closed"},
        Command{"publish_dry_run", "publish alice@example.com --closed --dry-run"},
        Command{"unpublish", "unpublish alice@example.com"},
        Command{"unpublish_all", "unpublish bob@example.com --all"},
        Command{"watch", "watch alice@example.com --count 1"},
        Command{"state_get", "state get alice@example.com"},
        Command{"state_get_nothing", "state get carol@example.com"},
        Command{"state_get_pending", "state get alice@example.com --watcher dave@example.com"},
        Command{"presentity_list", "presentity list"},
        Command{"presentity_list_full", "presentity list bob@example.com --full"},
        Command{"presentity_list_nothing", "presentity list --domain example.org --event dialog"},
        Command{"subscription_list", "subscription list"},
        Command{"subscription_list_filtered",
                "subscription list alice@example.com --state pending"},
        Command{"subscription_list_nothing", "subscription list --watcher erin@example.com"},
        Command{"watcher_list", "watcher list alice@example.com"},
        Command{"watcher_list_nothing", "watcher list bob@example.com --state waiting"},
        Command{"watcher_approve", "watcher approve alice@example.com dave@example.com"},
        Command{"watcher_block", "watcher block alice@example.com bob@example.com"},
        Command{"authorization", "authorization alice@example.com bob@example.com"},
        Command{"authorization_pending", "authorization alice@example.com dave@example.com"},
        Command{"refresh_watchers", "refresh-watchers alice@example.com --kind state"},
        Command{"update_watchers", "update-watchers alice@example.com"},
        Command{"rules_put", "rules put alice@example.com --file tests/golden/cli/busy.xml"},
        Command{"rules_get", "rules get bob@example.com"}, Command{"rules_list", "rules list"},
        Command{"rules_list_nothing", "rules list carol@example.com"},
        Command{"rules_delete", "rules delete bob@example.com"}, Command{"cleanup", "cleanup"},
        Command{"cleanup_dry_run", "cleanup --kind publications --kind waiting-watchers --dry-run"},
        Command{"migrate_kamailio",
                "migrate kamailio --cfg tests/golden/kamailio/kamailio.cfg --dry-run"},
        Command{"version", "version"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace presence::cli
