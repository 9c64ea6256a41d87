#include <sys/ioctl.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/presencectl.h"
#include "cli/signal_listener.h"

namespace presence::cli {
namespace {

std::optional<std::string> Variable(const std::string& name) {
  // Nothing changes the environment once threads run.
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Terminal TerminalOf(int descriptor) {
  Terminal terminal;
  if (isatty(descriptor) == 0) return terminal;
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.columns = size.ws_col;
  // https://no-color.org: present and not empty.
  const std::string no_colour = Variable("NO_COLOR").value_or("");
  terminal.colour = no_colour.empty() && Variable("TERM").value_or("dumb") != "dumb";
  return terminal;
}

void Pause(const std::stop_token& interrupted, absl::Duration duration) {
  std::mutex mu;
  std::condition_variable_any never;
  std::unique_lock lock(mu);
  never.wait_for(lock, interrupted, absl::ToChronoNanoseconds(duration), [] { return false; });
}

int Main(int argc, char** argv) {
  // gRPC logs connection attempts on stderr by itself; what matters of it comes back as a status.
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread yet.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  std::stop_source interrupt;
  const SignalListener signals(interrupt);
  const SystemClock clock;
  SecureRandom random;
  const std::stop_token interrupted = interrupt.get_token();
  Environment environment{
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .variable = Variable,
      .clock = clock,
      .random = random,
      .interrupted = interrupted,
      .pause = [interrupted](absl::Duration duration) { Pause(interrupted, duration); },
      .time_zone = absl::LocalTimeZone(),
      .terminal = TerminalOf(STDOUT_FILENO),
  };
  const ExitCode exit_code =
      RunPresencectl(std::vector<std::string>(argv + 1, argv + argc), environment);
  std::cout.flush();
  // A full disk behind a redirection must not look like success.
  const bool is_lost = exit_code == ExitCode::kOk && !std::cout;
  return static_cast<int>(is_lost ? ExitCode::kFailed : exit_code);
}

}  // namespace
}  // namespace presence::cli

int main(int argc, char** argv) { return presence::cli::Main(argc, argv); }
