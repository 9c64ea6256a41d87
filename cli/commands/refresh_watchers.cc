#include <string>

#include "absl/strings/string_view.h"
#include "cli/command_line/options.h"
#include "cli/commands/commands.h"

namespace presence::cli {
namespace {

using Kind = v1::RefreshWatchersRequest;

struct RefreshOptions {
  std::string user;
  std::string event = "presence";
  Kind::Kind kind = Kind::KIND_AUTHORIZATION;
  std::string file_uri;
  std::string filename;
};

struct UpdateOptions {
  std::string user;
  std::string event = "presence";
};

// The two responses are different types with the same fields.
template <typename Response>
void PrintOutcome(absl::string_view deed, const Response& response, Session& session) {
  session.Show(response, [&] {
    session.environment().out << deed << "  examined " << response.examined() << "  notified "
                              << response.notified() << "  terminated " << response.terminated()
                              << '\n';
  });
}

ExitCode RefreshWatchers(const RefreshOptions& options, Session& session) {
  v1::RefreshWatchersRequest request;
  request.set_presentity(options.user);
  request.set_event(options.event);
  request.set_kind(options.kind);
  request.set_file_uri(options.file_uri);
  request.set_filename(options.filename);
  v1::RefreshWatchersResponse response;
  const grpc::Status status = session.Call(
      session.presence(), &v1::PresenceService::StubInterface::RefreshWatchers, request, &response);
  if (!status.ok()) return session.Fail(status, session.About(options.user, options.event));
  PrintOutcome("refreshed", response, session);
  return ExitCode::kOk;
}

ExitCode UpdateWatchers(const UpdateOptions& options, Session& session) {
  v1::UpdateWatchersRequest request;
  request.set_presentity(options.user);
  request.set_event(options.event);
  v1::UpdateWatchersResponse response;
  const grpc::Status status = session.Call(
      session.presence(), &v1::PresenceService::StubInterface::UpdateWatchers, request, &response);
  if (!status.ok()) return session.Fail(status, session.About(options.user, options.event));
  PrintOutcome("updated", response, session);
  return ExitCode::kOk;
}

}  // namespace

void AddRefreshWatchers(CLI::App& root, Chosen& chosen) {
  auto [command, options] = NewCommand<RefreshOptions>(
      root, "refresh-watchers",
      "Decide again about all watchers of a presentity, or tell them its state again", chosen,
      &RefreshWatchers);
  AddArgument(*command, "USER", options->user, "Whose watchers, such as alice@example.com");
  AddEvent(*command, options->event);
  AddChoice<Kind::Kind>(*command, "--kind", options->kind,
                        {{"authorization", Kind::KIND_AUTHORIZATION},
                         {"state", Kind::KIND_STATE},
                         {"hard-state", Kind::KIND_HARD_STATE}},
                        "What to refresh; default: authorization");
  command->add_option("--file-uri", options->file_uri, "hard-state: what to call the document")
      ->option_text("URI");
  command
      ->add_option("--filename", options->filename,
                   "hard-state: name under which `rules put` stored it")
      ->option_text("NAME");
  command->footer(Examples({
      "presencectl refresh-watchers alice@example.com",
      "presencectl refresh-watchers alice@example.com --kind state",
      "presencectl refresh-watchers alice@example.com --kind hard-state --file-uri "
      "http://xcap.example.com/index --filename index",
  }));
}

void AddUpdateWatchers(CLI::App& root, Chosen& chosen) {
  auto [command, options] = NewCommand<UpdateOptions>(
      root, "update-watchers", "Decide again about all watchers of a presentity", chosen,
      &UpdateWatchers);
  AddArgument(*command, "USER", options->user, "Whose watchers, such as alice@example.com");
  AddEvent(*command, options->event);
  command->footer(Examples({
      "presencectl update-watchers alice@example.com",
      "presencectl update-watchers alice@example.com --event dialog",
      "presencectl update-watchers alice@example.com -o json",
  }));
}

}  // namespace presence::cli
