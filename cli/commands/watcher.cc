#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/command_line/options.h"
#include "cli/command_line/shell_words.h"
#include "cli/commands/commands.h"
#include "cli/commands/pages.h"
#include "cli/output/printable.h"
#include "cli/output/table.h"
#include "cli/output/wording.h"

namespace presence::cli {
namespace {

struct WatcherListOptions {
  std::string user;
  std::string event = "presence";
  v1::SubscriptionState state = v1::SUBSCRIPTION_STATE_UNSPECIFIED;
  int32_t limit = 0;
};

struct DecisionOptions {
  std::string user;
  std::string watcher;
  std::string event = "presence";
  std::string request_id;
};

void PrintWatchers(const std::vector<v1::Watcher>& watchers, Environment& environment) {
  Table table(
      {{"WATCHER"}, {"EVENT"}, {"STATE"}, {"SUBSCRIPTIONS", Table::Align::kRight}, {"DECISION"}});
  for (const v1::Watcher& w : watchers) {
    table.Add({w.watcher(), w.event(), StateCell(w.state()), absl::StrCat(w.subscriptions()),
               Words(w.decision())});
  }
  table.Print(environment.out, environment.terminal);
}

ExitCode ListWatchers(const WatcherListOptions& options, Session& session) {
  const OutputFormat output = session.options().output;
  v1::ListWatchersRequest request;
  request.set_presentity(options.user);
  request.set_event(options.event);
  request.set_state(options.state);
  std::vector<v1::Watcher> watchers;
  v1::ListWatchersResponse all;
  const grpc::Status status = ReadPages<v1::ListWatchersRequest, v1::ListWatchersResponse>(
      session, &v1::PresenceService::StubInterface::ListWatchers, request, options.limit,
      [&](v1::ListWatchersResponse& page) {
        for (auto& watcher : *page.mutable_watchers()) {
          if (output == OutputFormat::kJsonLines) session.ShowJson(watcher);
          if (output == OutputFormat::kJson) *all.add_watchers() = watcher;
          if (output == OutputFormat::kTable) watchers.push_back(std::move(watcher));
        }
      });
  if (!status.ok()) return session.Fail(status, session.About(options.user, options.event));
  if (output == OutputFormat::kJson) session.ShowJson(all);
  if (output != OutputFormat::kTable) return ExitCode::kOk;
  if (watchers.empty()) {
    const bool any_state = options.state == v1::SUBSCRIPTION_STATE_UNSPECIFIED;
    session.Note(absl::StrCat("nobody",
                              any_state ? "" : absl::StrCat(" in state ", Words(options.state)),
                              " watches ", options.user, " for ", options.event));
  } else {
    PrintWatchers(watchers, session.environment());
  }
  return ExitCode::kOk;
}

// Prints where the watcher stands after a decision, and the command that decides the other way.
void PrintDecision(absl::string_view deed, absl::string_view inverse,
                   const DecisionOptions& options, const v1::Watcher& watcher,
                   Environment& environment) {
  std::vector<std::string> undo = {"presencectl", "watcher", std::string(inverse), options.user,
                                   options.watcher};
  if (options.event != "presence") undo.insert(undo.end(), {"--event", options.event});
  const Cell state = StateCell(watcher.state());
  environment.out << deed << "  " << Printable(watcher.watcher()) << "  for "
                  << Printable(options.user) << "  " << Printable(options.event) << "  now "
                  << Toned(state.text, state.tone, environment.terminal) << "  "
                  << Count(watcher.subscriptions(), "subscription") << '\n'
                  << "undo" << std::string(deed.size() - 2, ' ') << Printable(ShellCommand(undo))
                  << '\n';
}

template <typename Request, typename Response>
ExitCode Decide(absl::string_view deed, absl::string_view inverse,
                grpc::Status (v1::PresenceService::StubInterface::*method)(grpc::ClientContext*,
                                                                           const Request&,
                                                                           Response*),
                const DecisionOptions& options, Session& session) {
  Request request;
  request.set_presentity(options.user);
  request.set_event(options.event);
  request.set_watcher(options.watcher);
  request.set_request_id(session.RequestId(options.request_id));
  Response response;
  const grpc::Status status = session.Call(session.presence(), method, request, &response);
  if (!status.ok()) {
    Subject subject = session.About(options.user, options.event, options.watcher);
    subject.repeat = session.RepeatWith(request.request_id());
    return session.Fail(status, subject);
  }
  session.Show(response, [&] {
    PrintDecision(deed, inverse, options, response.watcher(), session.environment());
  });
  return ExitCode::kOk;
}

ExitCode Approve(const DecisionOptions& options, Session& session) {
  return Decide<v1::ApproveWatcherRequest, v1::ApproveWatcherResponse>(
      "approved", "block", &v1::PresenceService::StubInterface::ApproveWatcher, options, session);
}

ExitCode Block(const DecisionOptions& options, Session& session) {
  return Decide<v1::BlockWatcherRequest, v1::BlockWatcherResponse>(
      "blocked", "approve", &v1::PresenceService::StubInterface::BlockWatcher, options, session);
}

void AddDecision(CLI::App& watcher, const std::string& name, const std::string& description,
                 Chosen& chosen, ExitCode (*run)(const DecisionOptions&, Session&)) {
  auto [command, options] = NewCommand<DecisionOptions>(watcher, name, description, chosen, run);
  AddArgument(*command, "USER", options->user, "Who decides, such as alice@example.com");
  AddArgument(*command, "WATCHER", options->watcher, "About whom, such as bob@example.com");
  AddEvent(*command, options->event);
  command
      ->add_option("--request-id", options->request_id,
                   "Makes repeating safe; default: a new one each time")
      ->option_text("ID");
  command->footer(Examples({
      absl::StrCat("presencectl watcher ", name, " alice@example.com bob@example.com"),
      absl::StrCat("presencectl watcher ", name,
                   " alice@example.com bob@example.com --event dialog"),
      absl::StrCat("presencectl watcher ", name, " alice@example.com bob@example.com -o json"),
  }));
}

}  // namespace

void AddWatcher(CLI::App& root, Chosen& chosen) {
  CLI::App* watcher = root.add_subcommand("watcher", "Show watchers and decide about them");
  auto [list, options] = NewCommand<WatcherListOptions>(
      *watcher, "list", "List who watches a presentity, waiting and decided watchers included",
      chosen, &ListWatchers);
  AddArgument(*list, "USER", options->user, "Whose watchers, such as alice@example.com");
  AddEvent(*list, options->event);
  AddChoice<v1::SubscriptionState>(*list, "--state", options->state,
                                   {{"active", v1::SUBSCRIPTION_STATE_ACTIVE},
                                    {"pending", v1::SUBSCRIPTION_STATE_PENDING},
                                    {"terminated", v1::SUBSCRIPTION_STATE_TERMINATED},
                                    {"waiting", v1::SUBSCRIPTION_STATE_WAITING}},
                                   "Only in this state");
  list->add_option("--limit", options->limit, "At most this many; default: all")
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
  list->footer(Examples({
      "presencectl watcher list alice@example.com",
      "presencectl watcher list alice@example.com --state pending",
      "presencectl watcher list alice@example.com -o jsonl",
  }));
  AddDecision(*watcher, "approve", "Let a watcher see the state; tells him at once", chosen,
              &Approve);
  AddDecision(*watcher, "block", "Refuse a watcher; ends his subscriptions", chosen, &Block);
  watcher->footer(Examples({"presencectl watcher list alice@example.com"}));
}

}  // namespace presence::cli
