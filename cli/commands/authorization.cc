#include <string>

#include "cli/command_line/options.h"
#include "cli/commands/commands.h"
#include "cli/output/printable.h"
#include "cli/output/table.h"
#include "cli/output/wording.h"

namespace presence::cli {
namespace {

struct AuthorizationOptions {
  std::string user;
  std::string watcher;
  std::string event = "presence";
};

ExitCode GetAuthorization(const AuthorizationOptions& options, Session& session) {
  v1::GetAuthorizationRequest request;
  request.set_presentity(options.user);
  request.set_event(options.event);
  request.set_watcher(options.watcher);
  v1::GetAuthorizationResponse response;
  const grpc::Status status =
      session.Call(session.presence(), &v1::PresenceService::StubInterface::GetAuthorization,
                   request, &response);
  if (!status.ok()) {
    return session.Fail(status, session.About(options.user, options.event, options.watcher));
  }
  const bool may_watch = response.state() == v1::SUBSCRIPTION_STATE_ACTIVE;
  session.Show(response, [&] {
    Environment& environment = session.environment();
    const Cell state = StateCell(response.state());
    environment.out << Printable(options.watcher) << (may_watch ? " may watch " : " may not watch ")
                    << Printable(options.user) << " (" << Printable(options.event)
                    << "): " << Toned(state.text, state.tone, environment.terminal) << '\n';
    if (!response.explanation().empty()) {
      environment.out << "because  " << Printable(response.explanation()) << '\n';
    }
  });
  return may_watch ? ExitCode::kOk : ExitCode::kNotFoundOrFalse;
}

}  // namespace

void AddAuthorization(CLI::App& root, Chosen& chosen) {
  auto [command, options] = NewCommand<AuthorizationOptions>(
      root, "authorization", "Tell whether a watcher may see the state: exit code 0 if so, else 3",
      chosen, &GetAuthorization);
  AddArgument(*command, "USER", options->user, "Who is watched, such as alice@example.com");
  AddArgument(*command, "WATCHER", options->watcher, "Who would watch, such as bob@example.com");
  AddEvent(*command, options->event);
  command->footer(Examples({
      "presencectl authorization alice@example.com carol@example.com",
      "presencectl authorization alice@example.com carol@example.com --event dialog",
      "presencectl authorization alice@example.com carol@example.com -o json",
  }));
}

}  // namespace presence::cli
