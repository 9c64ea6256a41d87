#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/synchronization/mutex.h"
#include "configuration/command_line.h"
#include "configuration/loader.h"
#include "configuration/schema.h"
#include "logging/logging.h"
#include "presence-core/server/core_process.h"
#include "presence-core/server/migrate.h"

namespace presence {
namespace {

constexpr int kCannotServeExit = 1;
constexpr int kUsageExit = 2;
// R5 of the reliability goals: from SIGTERM to the end, with everything answered, at most five
// seconds.
constexpr absl::Duration kPatience = absl::Seconds(3);

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "presence-core";
  return name.data();
}

// Blocked before any thread exists, so that every thread inherits the mask and only Wait() sees
// them.
sigset_t BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return set;
}

// Whether one of the signals comes within this time.
bool IsSignalledWithin(absl::Duration time, const sigset_t& signals) {
  const timespec wait = absl::ToTimespec(time);
  return sigtimedwait(&signals, nullptr, &wait) > 0;
}

void PrintGreeting(const v1::CoreConfig& config, const CoreProcess& process,
                   std::chrono::milliseconds took) {
  std::cout << "presence-core " << PRESENCE_VERSION;
  std::cout << (config.dev() ? "  DEV MODE: loopback only; " : "  ") << process.storage() << "\n";
  for (const std::string& address : process.grpc_addresses()) {
    std::cout << "  gRPC      " << address << "\n";
  }
  if (!process.ops_address().empty()) {
    std::cout << "  ops       http://" << process.ops_address()
              << "   /metrics /live /ready /version\n";
  }
  std::cout << "  packages ";
  for (const std::string& name : process.event_names()) std::cout << " " << name;
  std::cout << "\nready in " << took.count() << " ms. Next: open a second terminal and run  "
            << "presencectl publish alice@example.com --open --note \"At my desk\"" << std::endl;
}

// Waits for a signal, then stops; a second signal ends the process at once.
void ServeUntilSignalled(CoreProcess& process, const sigset_t& signals) {
  int number = 0;
  sigwait(&signals, &number);
  std::cout << "stopping; once more to stop at once" << std::endl;
  std::thread([signals] {
    int again = 0;
    sigwait(&signals, &again);
    _exit(130);
  }).detach();
  process.Stop(kPatience);
}

int Serve(const v1::CoreConfig& config, const sigset_t& signals,
          std::chrono::steady_clock::time_point start) {
  if (const absl::Status status = StartLogging(config.log(), "presence-core"); !status.ok()) {
    std::cerr << "presence-core: " << status.message() << "\n";
    return kBadConfigurationExit;
  }
  const auto wait = [&](absl::Duration time) { return !IsSignalledWithin(time, signals); };
  auto process = CoreProcess::Start(config, {HostName(), PRESENCE_VERSION}, wait);
  if (absl::IsCancelled(process.status())) return 0;
  if (!process.ok()) {
    std::cerr << "presence-core: " << process.status().message() << "\n";
    return absl::IsInvalidArgument(process.status()) ? kBadConfigurationExit : kCannotServeExit;
  }
  PrintGreeting(config, **process,
                std::chrono::duration_cast<std::chrono::milliseconds>(
                    std::chrono::steady_clock::now() - start));
  ServeUntilSignalled(**process, signals);
  return 0;
}

CLI::App* AddMigrate(CLI::App& app, MigrateCommand& command) {
  CLI::App* migrate =
      app.add_subcommand("migrate", "Changes the schema of the database (--dsn says which)");
  migrate->require_subcommand(1);
  migrate->fallthrough();
  CLI::App* up = migrate->add_subcommand("up", "Brings it up to date, or makes it");
  up->callback([&command] { command.verb = MigrateCommand::Verb::kUp; });
  CLI::App* status = migrate->add_subcommand("status", "Says what it has and what is missing");
  status->callback([&command] { command.verb = MigrateCommand::Verb::kStatus; });
  CLI::App* down = migrate->add_subcommand("down", "Takes steps back; newer state is lost");
  down->callback([&command] { command.verb = MigrateCommand::Verb::kDown; });
  down->add_option("--to", command.to, "The version to go back to; 0 removes every table")
      ->required();
  for (CLI::App* verb : {up, status, down}) verb->fallthrough();
  for (CLI::App* verb : {up, down}) {
    verb->add_flag("--dry-run", command.dry_run, "Says what it would do, and does nothing");
  }
  return migrate;
}

int Main(int argc, char** argv) {
#ifdef NDEBUG
  // Debian's abseil looks for lock cycles at every lock. The tests run with that; users need not
  // pay for it.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
  const auto start = std::chrono::steady_clock::now();
  const sigset_t signals = BlockSignals();
  CLI::App app("Holds who publishes what and who watches it, and tells the watchers.",
               "presence-core");
  app.set_version_flag("--version", "presence-core " PRESENCE_VERSION);
  ConfigCommandLine command_line(app, CoreConfigSchema(), {"presence"});
  CLI::App* dev =
      app.add_subcommand("dev", "Developer mode: loopback only, every domain, everybody may watch");
  MigrateCommand migration;
  const CLI::App* migrate = AddMigrate(app, migration);
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageExit;
  }
  if (dev->parsed()) command_line.Set("dev", "true", "command dev");
  if (const auto code = command_line.RunConfigCommand(std::cout, std::cerr)) return *code;
  ConfigSources sources = command_line.Sources();
  sources.is_to_serve = !migrate->parsed();
  const auto loaded = LoadCoreConfig(sources);
  if (!loaded.ok()) {
    std::cerr << loaded.status().message() << "\n";
    return kBadConfigurationExit;
  }
  if (migrate->parsed()) {
    // Ends as any other command would: what a step has begun is rolled back.
    pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
    return Migrate(loaded->config.storage(), migration);
  }
  return Serve(loaded->config, signals, start);
}

}  // namespace
}  // namespace presence

int main(int argc, char** argv) { return presence::Main(argc, argv); }
