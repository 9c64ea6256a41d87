// The process around the commands: what only a real one can show.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "tests/unit/cli/cli_test_base.h"

namespace presence::cli {
namespace {

using testing::HasSubstr;

// A running presencectl whose output can be read.
class Process {
 public:
  Process(std::vector<std::string> args, const std::string& server, const char* output = nullptr) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_end_ = ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (output != nullptr) {
      posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY, 0);
    } else {
      posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    }
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    args.insert(args.begin(), "presencectl");
    std::vector<char*> argv;
    for (std::string& arg : args) argv.push_back(arg.data());
    argv.push_back(nullptr);
    std::string variable = absl::StrCat("PRESENCE_SERVER=", server);
    char* environment[] = {variable.data(), nullptr};
    EXPECT_EQ(posix_spawn(&pid_, PRESENCECTL_PATH, &actions, nullptr, argv.data(), environment), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
  }
  ~Process() { close(read_end_); }

  // Everything printed until `wanted` was, or the end.
  const std::string& ReadUntil(const std::string& wanted) {
    char buffer[4096];
    while (!absl::StrContains(printed_, wanted)) {
      const ssize_t length = read(read_end_, buffer, sizeof buffer);
      if (length <= 0) break;
      printed_.append(buffer, static_cast<std::size_t>(length));
    }
    return printed_;
  }

  void Signal(int signal) { kill(pid_, signal); }

  // The exit code as a shell has it.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  int read_end_ = -1;
  std::string printed_;
};

class ProcessTest : public CliTest {};

TEST_F(ProcessTest, CtrlCEndsAWatchWithASummaryAnd130) {
  Process watch({"watch", "alice@example.com"}, fake_.address());
  watch.ReadUntil("At my desk");

  watch.Signal(SIGINT);

  EXPECT_THAT(watch.ReadUntil("reconnects"), HasSubstr("watched 1 target for "));
  EXPECT_EQ(watch.Wait(), 130);
}

TEST_F(ProcessTest, CtrlCEndsACallThatHangs) {
  absl::Notification called;
  fake_.Stall();
  fake_.OnCall([&called] { called.Notify(); });
  Process list({"presentity", "list", "--timeout", "1h"}, fake_.address());
  called.WaitForNotification();

  list.Signal(SIGINT);

  EXPECT_EQ(list.Wait(), 130);
}

TEST_F(ProcessTest, OutputThatIsLostIsAFailure) {
  Process list({"presentity", "list"}, fake_.address(), "/dev/full");

  EXPECT_EQ(list.Wait(), 1);
}

TEST_F(ProcessTest, GrpcPrintsNothingOfItsOwn) {
  Process list({"presentity", "list"}, "unix:/nowhere/at/all");

  EXPECT_THAT(list.ReadUntil("never printed"), testing::StartsWith("presencectl: UNAVAILABLE: "));
  EXPECT_EQ(list.Wait(), 4);
}

}  // namespace
}  // namespace presence::cli
