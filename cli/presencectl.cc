#include "cli/presencectl.h"

#include <algorithm>
#include <optional>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/command_line/argument_order.h"
#include "cli/command_line/options.h"
#include "cli/commands/commands.h"
#include "cli/connection/server_address.h"
#include "cli/connection/session.h"

namespace presence::cli {
namespace {

constexpr char kServerVariable[] = "PRESENCE_SERVER";

constexpr char kContract[] =
    R"(Addresses: user@host, sip:user@host, tel:+12025550100. Durations: 90s, 10m, 1h30m, 7d.

Environment:
  PRESENCE_SERVER   the server when --server is not given
  NO_COLOR          no colours, whatever its value

Exit codes:
  0 ok             3 not found or false   6 conflict            130 interrupted
  1 failed         4 unreachable          7 timeout
  2 usage          5 denied               8 bad configuration

)";

// Options of every command, as the command line has them.
struct GivenOptions {
  std::optional<std::string> server;
  std::optional<absl::Duration> timeout;
  OutputFormat output = OutputFormat::kTable;
};

void AddGlobalOptions(CLI::App& root, GivenOptions& given) {
  root.add_option("--server", given.server, "host:port or unix:PATH; default: 127.0.0.1:7460")
      ->option_text("ADDRESS");
  AddDuration(root, "--timeout", given.timeout, "How long one call may take; default: 5s");
  AddChoice<OutputFormat>(root, "-o,--output", given.output,
                          {{"table", OutputFormat::kTable},
                           {"json", OutputFormat::kJson},
                           {"jsonl", OutputFormat::kJsonLines}},
                          "How to print; default: table");
  root.set_version_flag("--version", "presencectl " PRESENCE_VERSION,
                        "Print the version of presencectl");
}

void AddCommands(CLI::App& root, Chosen& chosen) {
  AddPublish(root, chosen);
  AddUnpublish(root, chosen);
  AddWatch(root, chosen);
  AddState(root, chosen);
  AddPresentity(root, chosen);
  AddSubscription(root, chosen);
  AddWatcher(root, chosen);
  AddAuthorization(root, chosen);
  AddRefreshWatchers(root, chosen);
  AddUpdateWatchers(root, chosen);
  AddRules(root, chosen);
  AddCleanup(root, chosen);
  AddMigrate(root, chosen);
  AddVersion(root, chosen);
}

// Words of CLI11 for its own mistakes, less its habit of several lines.
std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

ExitCode UsageError(Environment& environment, absl::string_view message,
                    const std::string& command) {
  Report(environment, message, absl::StrCat(command, " --help"));
  return ExitCode::kUsage;
}

// Where the server is: the flag, else the environment, else the default. A wrong flag is a usage
// error, a wrong variable a bad configuration; both are reported here and leave nothing.
std::optional<GlobalOptions> Resolve(const GivenOptions& given, Environment& environment,
                                     ExitCode& exit_code) {
  GlobalOptions options;
  options.output = given.output;
  if (given.timeout) options.timeout = *given.timeout;
  const std::optional<std::string> variable = environment.variable(kServerVariable);
  const bool from_variable = !given.server && variable && !variable->empty();
  options.server = given.server    ? *given.server
                   : from_variable ? *variable
                                   : std::string(kDefaultServer);
  absl::StatusOr<std::string> target = GrpcTarget(options.server);
  if (!target.ok()) {
    exit_code = from_variable ? ExitCode::kBadConfiguration : ExitCode::kUsage;
    Report(
        environment,
        absl::StrCat(from_variable ? kServerVariable : "--server", ": ", target.status().message()),
        from_variable ? absl::StrCat("export ", kServerVariable, "=", kDefaultServer)
                      : "presencectl --help");
    return std::nullopt;
  }
  options.grpc_target = *std::move(target);
  return options;
}

}  // namespace

ExitCode RunPresencectl(const std::vector<std::string>& args, Environment& environment) {
  CLI::App root("Publishes presence, watches it and administers who may watch.", "presencectl");
  GivenOptions given;
  Chosen chosen;
  AddGlobalOptions(root, given);
  AddCommands(root, chosen);
  root.require_subcommand(1);
  root.footer(absl::StrCat(kContract,
                           Examples({
                               "presencectl publish alice@example.com --open --note \"At my desk\"",
                               "presencectl presentity list",
                               "presencectl watcher approve alice@example.com bob@example.com",
                           })));

  OrderedArguments ordered = OrderArguments(root, args);
  const std::string command = CommandPath(*ordered.command);
  if (!ordered.status.ok()) return UsageError(environment, ordered.status.message(), command);
  try {
    std::reverse(ordered.words.begin(), ordered.words.end());  // as CLI11 takes them
    root.parse(std::move(ordered.words));
  } catch (const CLI::CallForHelp&) {
    environment.out << root.help();
    return ExitCode::kOk;
  } catch (const CLI::CallForVersion& version) {
    environment.out << version.what() << '\n';
    return ExitCode::kOk;
  } catch (const CLI::ParseError& error) {
    return UsageError(environment, FirstLine(error.what()), command);
  }

  ExitCode exit_code = ExitCode::kUsage;
  std::optional<GlobalOptions> options = Resolve(given, environment, exit_code);
  if (!options) return exit_code;
  Session session(environment, *std::move(options), command, args);
  return chosen.run(session);
}

}  // namespace presence::cli
