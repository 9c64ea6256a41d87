#ifndef PRESENCE_TESTS_UNIT_CLI_CLI_TEST_BASE_H_
#define PRESENCE_TESTS_UNIT_CLI_CLI_TEST_BASE_H_

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/environment.h"
#include "cli/exit_code.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "tests/unit/cli/fake_presence.h"

namespace presence::cli {

// A PIDF document that says `basic` and `note`.
v1::Document Pidf(const std::string& basic, const std::string& note);
// A watch item with this state.
v1::WatchResponse StateItem(const std::string& token, const std::string& basic, uint64_t seq,
                            v1::NotifyCause cause = v1::NOTIFY_CAUSE_PUBLISH);
v1::WatchResponse SnapshotDoneItem(const std::string& token);
v1::WatchResponse StatusItem(const std::string& token, v1::SubscriptionState state,
                             v1::TerminationReason reason = v1::TERMINATION_REASON_UNSPECIFIED);

// Splits a command line as a POSIX shell would, as far as our examples and hints go: blanks, double
// and single quotes, backslashes.
std::vector<std::string> ShellSplit(absl::string_view line);

// What a command printed, and its exit code.
struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// Runs whole commands in this process, against a server with alice (one source, watched by bob and
// carol, asked by dave) and bob (two sources). Time stands still; a pause moves it.
class CliTest : public testing::Test {
 protected:
  CliTest();

  // Runs `presencectl ARGS` against the fake server.
  Outcome Presencectl(std::vector<std::string> args);
  // The same, as one would type it.
  Outcome Presencectl(absl::string_view command_line);

  // Calls `run` with what a command has; `out` and `err` are what it printed.
  Outcome RunIn(const std::function<ExitCode(Environment&)>& run);

  // Every help page, by the command that prints it: "presencectl", "presencectl publish", ...
  std::map<std::string, std::string> HelpPages();

  // Fails unless `run` is what tests/golden/cli/`name`.txt holds. With PRESENCE_UPDATE_GOLDEN set
  // the file is written instead: look at the difference before you commit it.
  void ExpectGolden(const std::string& name, const std::string& command_line, const Outcome& run);

  ManualClock clock_;
  SeededRandom random_{7};
  std::stop_source interrupt_;
  std::map<std::string, std::string> variables_;
  std::string input_;
  Terminal terminal_;
  std::vector<absl::Duration> pauses_;
  FakePresence fake_{clock_};

 private:
  void AddHelpPages(const std::string& command, std::map<std::string, std::string>& pages);
  void Populate();
};

}  // namespace presence::cli

#endif  // PRESENCE_TESTS_UNIT_CLI_CLI_TEST_BASE_H_
