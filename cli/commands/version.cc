#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "cli/command_line/durations.h"
#include "cli/command_line/options.h"
#include "cli/commands/commands.h"
#include "cli/output/printable.h"
#include "cli/output/wording.h"
#include "presence/v1/core_config.pb.h"

namespace presence::cli {
namespace {

struct VersionOptions {};

std::string StorageWord(v1::StorageMode mode) {
  return absl::StrReplaceAll(
      absl::AsciiStrToLower(absl::StripPrefix(v1::StorageMode_Name(mode), "STORAGE_MODE_")),
      {{"_", "-"}});
}

// One word where publications and subscriptions are stored alike.
std::string StorageWords(const v1::ServerInfo& info) {
  std::string publications = StorageWord(info.storage_mode());
  if (info.subscription_storage_mode() == info.storage_mode()) return publications;
  return absl::StrCat("publications ", publications, ", subscriptions ",
                      StorageWord(info.subscription_storage_mode()));
}

void PrintServer(const v1::ServerInfo& info, Session& session) {
  std::ostream& out = session.environment().out;
  // By the server's own clock: ours may differ.
  const absl::Duration up = FromProto(info.time()) - FromProto(info.start_time());
  out << "server       " << Printable(info.version()) << "  " << Printable(session.options().server)
      << "  core " << Printable(info.core()) << "  epoch " << info.epoch() << "  storage "
      << StorageWords(info) << (info.dev() ? "  dev mode" : "") << "  up " << DurationText(up)
      << '\n';
  std::vector<std::string> packages;
  for (const v1::EventPackageInfo& package : info.packages()) {
    packages.push_back(package.event());
    if (package.winfo()) packages.push_back(absl::StrCat(package.event(), ".winfo"));
  }
  out << "packages     " << Printable(absl::StrJoin(packages, " ")) << '\n';
  out << "domains      "
      << (info.domains().empty() ? "every" : Printable(absl::StrJoin(info.domains(), " "))) << '\n';
}

ExitCode Version(const VersionOptions&, Session& session) {
  if (session.wants_table()) session.environment().out << "presencectl  " PRESENCE_VERSION "\n";
  v1::ServerInfo info;
  const grpc::Status status =
      session.Call(session.admin(), &v1::AdminService::StubInterface::GetServerInfo,
                   v1::GetServerInfoRequest(), &info);
  if (!status.ok()) return session.Fail(status, session.About());
  session.Show(info, [&] { PrintServer(info, session); });
  if (info.version() != PRESENCE_VERSION) {
    session.Note(absl::StrCat("presencectl is " PRESENCE_VERSION " and the server ", info.version(),
                              "; what only the newer one knows may be missing here"));
  }
  return ExitCode::kOk;
}

}  // namespace

void AddVersion(CLI::App& root, Chosen& chosen) {
  auto [command, options] = NewCommand<VersionOptions>(
      root, "version",
      "Show the versions of presencectl and the server, and what the server serves", chosen,
      &Version);
  command->footer(Examples({
      "presencectl version",
      "presencectl version --timeout 2s",
      "presencectl version -o json",
  }));
}

}  // namespace presence::cli
