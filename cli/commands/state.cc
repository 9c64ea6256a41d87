#include <string>

#include "absl/strings/str_cat.h"
#include "cli/command_line/options.h"
#include "cli/command_line/shell_words.h"
#include "cli/commands/commands.h"
#include "cli/documents/summary.h"
#include "cli/output/table.h"
#include "cli/output/wording.h"

namespace presence::cli {
namespace {

struct StateOptions {
  std::string user;
  std::string event = "presence";
  std::string watcher;
  std::string etag;
  std::string contact;
  bool raw = false;
};

// Why there is nothing to show: nobody published, or this watcher may not see it yet.
ExitCode NothingToShow(const StateOptions& options, const v1::GetStateResponse& response,
                       Session& session) {
  const std::string user = ShellQuote(options.user);
  if (response.state() != v1::SUBSCRIPTION_STATE_ACTIVE && !options.watcher.empty()) {
    return session.Fail(
        ExitCode::kNotFoundOrFalse,
        absl::StrCat(options.watcher, " sees nothing of ", options.user, ": ",
                     Words(response.state())),
        absl::StrCat("presencectl watcher approve ", user, " ", ShellQuote(options.watcher)));
  }
  return session.Fail(ExitCode::kNotFoundOrFalse,
                      absl::StrCat(options.user, " has no state for ", options.event),
                      absl::StrCat("presencectl publish ", user, " --open"));
}

void PrintState(const StateOptions& options, const v1::GetStateResponse& response,
                Session& session) {
  Environment& environment = session.environment();
  if (options.raw) {
    environment.out << BodyOf(response.document());
    return;
  }
  const DocumentSummary summary = Summarise(response.document());
  Table table({{"PRESENTITY"}, {"EVENT"}, {"STATE"}, {"NOTE"}, {"REVISION"}});
  table.Add({options.user, options.event, Cell(summary.state, summary.tone), summary.note,
             Words(response.revision())});
  table.Print(environment.out, environment.terminal);
}

ExitCode GetState(const StateOptions& options, Session& session) {
  v1::GetStateRequest request;
  request.set_presentity(options.user);
  request.set_event(options.event);
  request.set_watcher(options.watcher);
  request.set_etag(options.etag);
  request.set_contact(options.contact);
  v1::GetStateResponse response;
  const grpc::Status status = session.Call(
      session.presence(), &v1::PresenceService::StubInterface::GetState, request, &response);
  if (!status.ok()) {
    return session.Fail(status, session.About(options.user, options.event, options.watcher));
  }
  const bool is_text = options.raw || session.wants_table();
  if (!is_text) session.ShowJson(response);
  if (!response.has_document()) return NothingToShow(options, response, session);
  if (is_text) PrintState(options, response, session);
  return ExitCode::kOk;
}

}  // namespace

void AddState(CLI::App& root, Chosen& chosen) {
  CLI::App* state = root.add_subcommand("state", "Show the state of a presentity");
  auto [command, options] = NewCommand<StateOptions>(
      *state, "get", "Show the state that watchers see, all publications taken together", chosen,
      &GetState);
  AddArgument(*command, "USER", options->user, "Whose state, such as alice@example.com");
  AddEvent(*command, options->event);
  command
      ->add_option("--watcher", options->watcher,
                   "Show what this watcher sees; default: everything")
      ->option_text("URI");
  CLI::Option* etag = command->add_option("--etag", options->etag, "Show only this publication")
                          ->option_text("ETAG");
  command
      ->add_option("--contact", options->contact, "Show only what was published for this contact")
      ->option_text("URI")
      ->excludes(etag);
  command->add_flag("--raw", options->raw, "Print the document itself, byte for byte");
  state->footer(Examples({"presencectl state get alice@example.com"}));
  command->footer(Examples({
      "presencectl state get alice@example.com",
      "presencectl state get alice@example.com --watcher bob@example.com",
      "presencectl state get alice@example.com --raw",
  }));
}

}  // namespace presence::cli
