#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command_line/options.h"
#include "cli/commands/commands.h"
#include "cli/commands/pages.h"
#include "cli/output/table.h"
#include "cli/output/wording.h"

namespace presence::cli {
namespace {

struct SubscriptionOptions {
  std::string user;
  std::string event;
  std::string watcher;
  v1::SubscriptionState state = v1::SUBSCRIPTION_STATE_UNSPECIFIED;
  int32_t limit = 0;
};

// What this watcher was told and confirmed last; "+" while a newer NOTIFY is unanswered.
std::string Notified(const v1::Subscription& subscription) {
  const std::string told =
      subscription.notified().epoch() == 0 ? "-" : Words(subscription.notified());
  return subscription.notify_in_flight() ? absl::StrCat(told, "+") : told;
}

void PrintSubscriptions(const std::vector<v1::Subscription>& subscriptions,
                        Environment& environment) {
  const absl::Time now = environment.clock.WallNow();
  Table table({{"PRESENTITY"},
               {"EVENT"},
               {"WATCHER"},
               {"STATE"},
               {"VIA"},
               {"NOTIFIED"},
               {"EXPIRES", Table::Align::kRight},
               {"ID"}});
  for (const v1::Subscription& s : subscriptions) {
    table.Add({s.presentity(), s.event(), s.watcher(), StateCell(s.state()),
               s.gateway().empty() ? "grpc" : s.gateway(), Notified(s), Until(s.expire_time(), now),
               s.id()});
  }
  table.Print(environment.out, environment.terminal);
}

std::string Filters(const SubscriptionOptions& options) {
  std::vector<std::string> filters;
  if (!options.user.empty()) filters.push_back(absl::StrCat("presentity ", options.user));
  if (!options.event.empty()) filters.push_back(absl::StrCat("event ", options.event));
  if (!options.watcher.empty()) filters.push_back(absl::StrCat("watcher ", options.watcher));
  if (options.state != v1::SUBSCRIPTION_STATE_UNSPECIFIED) {
    filters.push_back(absl::StrCat("state ", Words(options.state)));
  }
  return filters.empty()
             ? "there are no subscriptions"
             : absl::StrCat("there are no subscriptions for ", absl::StrJoin(filters, ", "));
}

ExitCode ListSubscriptions(const SubscriptionOptions& options, Session& session) {
  const OutputFormat output = session.options().output;
  v1::ListSubscriptionsRequest request;
  request.set_presentity(options.user);
  request.set_event(options.event);
  request.set_watcher(options.watcher);
  request.set_state(options.state);
  std::vector<v1::Subscription> subscriptions;
  v1::ListSubscriptionsResponse all;
  const grpc::Status status =
      ReadPages<v1::ListSubscriptionsRequest, v1::ListSubscriptionsResponse>(
          session, &v1::PresenceService::StubInterface::ListSubscriptions, request, options.limit,
          [&](v1::ListSubscriptionsResponse& page) {
            for (auto& subscription : *page.mutable_subscriptions()) {
              if (output == OutputFormat::kJsonLines) session.ShowJson(subscription);
              if (output == OutputFormat::kJson) *all.add_subscriptions() = subscription;
              if (output == OutputFormat::kTable) subscriptions.push_back(std::move(subscription));
            }
          });
  if (!status.ok()) {
    return session.Fail(status, session.About(options.user, options.event, options.watcher));
  }
  if (output == OutputFormat::kJson) session.ShowJson(all);
  if (output != OutputFormat::kTable) return ExitCode::kOk;
  if (subscriptions.empty()) {
    session.Note(Filters(options));
  } else {
    PrintSubscriptions(subscriptions, session.environment());
  }
  return ExitCode::kOk;
}

}  // namespace

void AddSubscription(CLI::App& root, Chosen& chosen) {
  CLI::App* subscription = root.add_subcommand("subscription", "Show who is subscribed to whom");
  auto [command, options] = NewCommand<SubscriptionOptions>(
      *subscription, "list",
      "List subscriptions with the newest revision each was told (+: a newer one is on its way)",
      chosen, &ListSubscriptions);
  command->add_option("USER", options->user, "Only subscriptions to this presentity")
      ->option_text(" ");
  command->add_option("-e,--event", options->event, "Only this event package")
      ->option_text("EVENT");
  command->add_option("--watcher", options->watcher, "Only this watcher")->option_text("URI");
  AddChoice<v1::SubscriptionState>(*command, "--state", options->state,
                                   {{"active", v1::SUBSCRIPTION_STATE_ACTIVE},
                                    {"pending", v1::SUBSCRIPTION_STATE_PENDING},
                                    {"terminated", v1::SUBSCRIPTION_STATE_TERMINATED}},
                                   "Only in this state");
  command->add_option("--limit", options->limit, "At most this many; default: all")
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
  subscription->footer(Examples({"presencectl subscription list"}));
  command->footer(Examples({
      "presencectl subscription list",
      "presencectl subscription list alice@example.com --state pending",
      "presencectl subscription list --watcher bob@example.com -o json",
  }));
}

}  // namespace presence::cli
