#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/synchronization/mutex.h"
#include "configuration/command_line.h"
#include "configuration/loader.h"
#include "configuration/schema.h"
#include "logging/logging.h"
#include "sip-gateway/server/wiring.h"

namespace presence::sip {
namespace {

constexpr int kCannotServeExit = 1;
constexpr int kUsageExit = 2;

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "sip-gateway";
  return name.data();
}

// Signals come to one thread that waits for them, so that what they cause runs outside of a signal
// handler. SIGHUP of a closed terminal ends the process as the other two do.
class Signals {
 public:
  // Before any other thread exists: they inherit the mask.
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    // A peer that closed its end is an error of a write and not a reason to die.
    signal(SIGPIPE, SIG_IGN);
  }

  void Serve(GatewayProcess& process) {
    thread_ = std::thread([this, &process] {
      for (;;) {
        int signal = 0;
        if (sigwait(&set_, &signal) != 0 || is_over_) return;
        if (signal == SIGUSR1) {
          process.LogCounters();
        } else {
          process.Stop();
        }
      }
    });
  }

  // After this the process is not touched any more.
  void End() {
    is_over_ = true;
    pthread_kill(thread_.native_handle(), SIGUSR1);  // One that sigwait waits for, whichever.
    thread_.join();
  }

 private:
  sigset_t set_;
  std::atomic<bool> is_over_ = false;
  std::thread thread_;
};

int Serve(const v1::GatewayConfig& config, Signals& signals) {
  if (const absl::Status status = StartLogging(config.log(), "sip-gateway"); !status.ok()) {
    std::cerr << "sip-gateway: " << status.message() << "\n";
    return kBadConfigurationExit;
  }
  const absl::StatusOr<std::unique_ptr<GatewayProcess>> process =
      GatewayProcess::Open(config, {.host_name = HostName(), .version = PRESENCE_VERSION});
  if (!process.ok()) {
    std::cerr << "sip-gateway: " << process.status().message() << "\n";
    return absl::IsInvalidArgument(process.status()) ? kBadConfigurationExit : kCannotServeExit;
  }
  for (const std::string& listener : (*process)->ListenerNames()) {
    std::cout << "listening " << listener << "\n";
  }
  if (const std::string ops = (*process)->OpsAddress(); !ops.empty()) {
    std::cout << "ops http://" << ops << "   /metrics /live /ready /version\n";
  }
  std::cout.flush();
  signals.Serve(**process);
  (*process)->Run();
  signals.End();
  return 0;
}

int Main(int argc, char** argv) {
#ifdef NDEBUG
  // Debian's abseil looks for lock cycles at every lock. The tests run with that; users need not
  // pay for it.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
  Signals signals;
  CLI::App app("Serves SIP phones and proxies: PUBLISH, SUBSCRIBE and NOTIFY for a presence-core.",
               "sip-gateway");
  app.set_version_flag("--version", "sip-gateway " PRESENCE_VERSION);
  app.footer(
      "Examples:\n"
      "  sip-gateway --dev\n"
      "  sip-gateway --domain example.com --listen udp:192.0.2.5:5060 --listen tcp:192.0.2.5:5060\n"
      "  sip-gateway --config gateway.yaml --core unix:/run/presence/core.sock");
  ConfigCommandLine command_line(app, GatewayConfigSchema());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // --help and --version come this way too, with code 0
    return app.exit(error) == 0 ? 0 : kUsageExit;
  }
  if (const auto code = command_line.RunConfigCommand(std::cout, std::cerr)) return *code;
  const auto loaded = LoadGatewayConfig(command_line.Sources());
  if (!loaded.ok()) {
    std::cerr << loaded.status().message() << "\n";
    return kBadConfigurationExit;
  }
  return Serve(loaded->config, signals);
}

}  // namespace
}  // namespace presence::sip

int main(int argc, char** argv) { return presence::sip::Main(argc, argv); }
