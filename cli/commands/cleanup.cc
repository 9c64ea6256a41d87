#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "cli/command_line/options.h"
#include "cli/commands/commands.h"
#include "cli/output/table.h"

namespace presence::cli {
namespace {

struct CleanupOptions {
  std::vector<v1::CleanupKind> kinds;
  bool dry_run = false;
};

// "answer-records", as the --kind option has it.
std::string KindWord(v1::CleanupKind kind) {
  const std::string& name = v1::CleanupKind_Name(kind);
  if (name.empty()) return absl::StrCat("unknown(", static_cast<int>(kind), ")");
  return absl::StrReplaceAll(absl::AsciiStrToLower(absl::StripPrefix(name, "CLEANUP_KIND_")),
                             {{"_", "-"}});
}

ExitCode Cleanup(const CleanupOptions& options, Session& session) {
  v1::CleanupRequest request;
  for (const v1::CleanupKind kind : options.kinds) request.add_kinds(kind);
  request.set_dry_run(options.dry_run);
  v1::CleanupResponse response;
  const grpc::Status status =
      session.Call(session.admin(), &v1::AdminService::StubInterface::Cleanup, request, &response);
  if (!status.ok()) return session.Fail(status, session.About());
  session.Show(response, [&] {
    Table table(
        {{"KIND"}, {response.dry_run() ? "WOULD REMOVE" : "REMOVED", Table::Align::kRight}});
    for (const v1::CleanupCount& count : response.counts()) {
      table.Add({KindWord(count.kind()), absl::StrCat(count.removed())});
    }
    table.Print(session.environment().out, session.environment().terminal);
  });
  return ExitCode::kOk;
}

}  // namespace

void AddCleanup(CLI::App& root, Chosen& chosen) {
  auto [command, options] = NewCommand<CleanupOptions>(
      root, "cleanup", "Remove what has expired now, without waiting for the timers", chosen,
      &Cleanup);
  AddChoices<v1::CleanupKind>(*command, "--kind", options->kinds,
                              {{"publications", v1::CLEANUP_KIND_PUBLICATIONS},
                               {"subscriptions", v1::CLEANUP_KIND_SUBSCRIPTIONS},
                               {"answer-records", v1::CLEANUP_KIND_ANSWER_RECORDS},
                               {"waiting-watchers", v1::CLEANUP_KIND_WAITING_WATCHERS}},
                              "Only this kind; may be repeated; default: all");
  command->add_flag("--dry-run", options->dry_run, "Count, remove nothing");
  command->footer(Examples({
      "presencectl cleanup --dry-run",
      "presencectl cleanup",
      "presencectl cleanup --kind publications --kind subscriptions -o json",
  }));
}

}  // namespace presence::cli
