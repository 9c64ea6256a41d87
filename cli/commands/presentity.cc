#include <algorithm>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/blocking_counter.h"
#include "cli/command_line/options.h"
#include "cli/commands/commands.h"
#include "cli/commands/pages.h"
#include "cli/documents/summary.h"
#include "cli/output/table.h"
#include "cli/output/wording.h"

namespace presence::cli {
namespace {

struct PresentityOptions {
  std::string user;
  std::string domain;
  std::string event;
  int32_t limit = 0;
  bool full = false;
};

// One line of the table: a presentity's state of one event package, from all its publications.
struct Row {
  std::vector<v1::Publication> sources;
  v1::HasSubscribersResponse subscribers;
  // The composed state; asked for only where several sources make it.
  v1::GetStateResponse state;

  const v1::Publication& first() const { return sources.front(); }
  const v1::Document& document() const {
    return sources.size() == 1 ? first().document() : state.document();
  }
};

// What the list does not tell is asked for each row, many rows at a time: one after the other, a
// thousand rows would take a thousand round trips.
class RowCompletion {
 public:
  RowCompletion(Session& session, std::vector<Row>& rows) : session_(session), rows_(rows) {}

  grpc::Status Run() {
    for (std::size_t begin = 0; begin < rows_.size(); begin += kAtOnce) {
      grpc::Status status = AskFor(begin, std::min(rows_.size(), begin + kAtOnce));
      if (!status.ok()) return status;
    }
    return grpc::Status::OK;
  }

 private:
  static constexpr std::size_t kAtOnce = 64;

  struct Question {
    grpc::ClientContext context;
    v1::HasSubscribersRequest subscribers;
    v1::GetStateRequest state;
    grpc::Status status;
  };

  grpc::Status AskFor(std::size_t begin, std::size_t end) {
    std::vector<std::unique_ptr<Question>> questions;
    for (std::size_t i = begin; i < end; ++i) {
      AddQuestions(rows_[i], questions);
    }
    absl::BlockingCounter unanswered(static_cast<int>(questions.size()));
    const std::stop_callback cancel(session_.environment().interrupted, [&questions] {
      for (auto& question : questions) question->context.TryCancel();
    });
    std::size_t next = 0;
    for (std::size_t i = begin; i < end; ++i) {
      Ask(*questions[next++], rows_[i].subscribers, unanswered);
      if (rows_[i].sources.size() > 1) Ask(*questions[next++], rows_[i].state, unanswered);
    }
    unanswered.Wait();
    for (const auto& question : questions) {
      if (!question->status.ok()) return question->status;
    }
    return grpc::Status::OK;
  }

  void AddQuestions(const Row& row, std::vector<std::unique_ptr<Question>>& questions) {
    auto add = [&] {
      questions.push_back(std::make_unique<Question>());
      session_.SetDeadline(questions.back()->context);
      return questions.back().get();
    };
    Question* subscribers = add();
    subscribers->subscribers.set_presentity(row.first().presentity());
    subscribers->subscribers.set_event(row.first().event());
    if (row.sources.size() == 1) return;
    Question* state = add();
    state->state.set_presentity(row.first().presentity());
    state->state.set_event(row.first().event());
  }

  static std::function<void(grpc::Status)> Keep(Question& question,
                                                absl::BlockingCounter& unanswered) {
    return [&question, &unanswered](grpc::Status status) {
      question.status = std::move(status);
      unanswered.DecrementCount();
    };
  }

  void Ask(Question& question, v1::HasSubscribersResponse& answer,
           absl::BlockingCounter& unanswered) {
    session_.presence().async()->HasSubscribers(&question.context, &question.subscribers, &answer,
                                                Keep(question, unanswered));
  }

  void Ask(Question& question, v1::GetStateResponse& answer, absl::BlockingCounter& unanswered) {
    session_.presence().async()->GetState(&question.context, &question.state, &answer,
                                          Keep(question, unanswered));
  }

  Session& session_;
  std::vector<Row>& rows_;
};

// Publications come ordered by presentity and event, so those of a row stand together.
std::vector<Row> RowsOf(const std::vector<v1::Publication>& publications) {
  std::vector<Row> rows;
  for (const v1::Publication& publication : publications) {
    if (rows.empty() || rows.back().first().presentity() != publication.presentity() ||
        rows.back().first().event() != publication.event()) {
      rows.emplace_back();
    }
    rows.back().sources.push_back(publication);
  }
  return rows;
}

// When the last source goes, the presentity has no state any more.
std::string LastExpiry(const Row& row, absl::Time now) {
  const auto last =
      std::max_element(row.sources.begin(), row.sources.end(),
                       [](const v1::Publication& a, const v1::Publication& b) {
                         return FromProto(a.expire_time()) < FromProto(b.expire_time());
                       });
  return Until(last->expire_time(), now);
}

grpc::Status PrintPresentities(const std::vector<v1::Publication>& publications, Session& session) {
  std::vector<Row> rows = RowsOf(publications);
  grpc::Status status = RowCompletion(session, rows).Run();
  if (!status.ok()) return status;
  Environment& environment = session.environment();
  const absl::Time now = environment.clock.WallNow();
  Table table({{"PRESENTITY"},
               {"EVENT"},
               {"STATE"},
               {"NOTE"},
               {"SOURCES", Table::Align::kRight},
               {"WATCHERS", Table::Align::kRight},
               {"EXPIRES", Table::Align::kRight}});
  for (const Row& row : rows) {
    const DocumentSummary summary = Summarise(row.document());
    table.Add({row.first().presentity(), row.first().event(), Cell(summary.state, summary.tone),
               summary.note, absl::StrCat(row.sources.size()),
               absl::StrCat(row.subscribers.count()), LastExpiry(row, now)});
  }
  table.Print(environment.out, environment.terminal);
  return grpc::Status::OK;
}

void PrintPublications(const std::vector<v1::Publication>& publications, Environment& environment) {
  const absl::Time now = environment.clock.WallNow();
  Table table({{"PRESENTITY"},
               {"EVENT"},
               {"ETAG"},
               {"STATE"},
               {"NOTE"},
               {"SENDER"},
               {"PRIORITY", Table::Align::kRight},
               {"EXPIRES", Table::Align::kRight}});
  for (const v1::Publication& p : publications) {
    const DocumentSummary summary = Summarise(p.document());
    table.Add({p.presentity(), p.event(), p.etag(), Cell(summary.state, summary.tone), summary.note,
               p.sender(), absl::StrCat(p.priority()), Until(p.expire_time(), now)});
  }
  table.Print(environment.out, environment.terminal);
}

std::string Filters(const PresentityOptions& options) {
  std::vector<std::string> filters;
  if (!options.user.empty()) filters.push_back(absl::StrCat("presentity ", options.user));
  if (!options.domain.empty()) filters.push_back(absl::StrCat("domain ", options.domain));
  if (!options.event.empty()) filters.push_back(absl::StrCat("event ", options.event));
  return filters.empty() ? "nothing is published"
                         : absl::StrCat("nothing is published for ", absl::StrJoin(filters, ", "));
}

ExitCode ListPresentities(const PresentityOptions& options, Session& session) {
  const OutputFormat output = session.options().output;
  v1::ListPresentitiesRequest request;
  request.set_presentity(options.user);
  request.set_domain(options.domain);
  request.set_event(options.event);
  request.set_view(options.full || session.wants_table() ? v1::VIEW_FULL : v1::VIEW_BASIC);
  std::vector<v1::Publication> publications;
  v1::ListPresentitiesResponse all;
  grpc::Status status = ReadPages<v1::ListPresentitiesRequest, v1::ListPresentitiesResponse>(
      session, &v1::PresenceService::StubInterface::ListPresentities, request, options.limit,
      [&](v1::ListPresentitiesResponse& page) {
        for (auto& publication : *page.mutable_publications()) {
          if (output == OutputFormat::kJsonLines) session.ShowJson(publication);
          if (output == OutputFormat::kJson) *all.add_publications() = publication;
          if (output == OutputFormat::kTable) publications.push_back(std::move(publication));
        }
      });
  if (!status.ok()) return session.Fail(status, session.About(options.user, options.event));
  if (output == OutputFormat::kJson) session.ShowJson(all);
  if (output != OutputFormat::kTable) return ExitCode::kOk;
  if (publications.empty()) {
    session.Note(Filters(options));
  } else if (options.full) {
    PrintPublications(publications, session.environment());
  } else {
    status = PrintPresentities(publications, session);
  }
  return status.ok() ? ExitCode::kOk
                     : session.Fail(status, session.About(options.user, options.event));
}

}  // namespace

void AddPresentity(CLI::App& root, Chosen& chosen) {
  CLI::App* presentity = root.add_subcommand("presentity", "Show who has published what");
  auto [command, options] =
      NewCommand<PresentityOptions>(*presentity, "list",
                                    "List presentities with their state, number of sources and "
                                    "watchers, and time until the last source expires",
                                    chosen, &ListPresentities);
  command->add_option("USER", options->user, "Only this presentity")->option_text(" ");
  command->add_option("--domain", options->domain, "Only this domain")->option_text("DOMAIN");
  command->add_option("-e,--event", options->event, "Only this event package")
      ->option_text("EVENT");
  command->add_option("--limit", options->limit, "At most this many publications; default: all")
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--full", options->full,
                    "One line a publication, with its entity-tag; with -o json the documents too");
  presentity->footer(Examples({"presencectl presentity list"}));
  command->footer(Examples({
      "presencectl presentity list",
      "presencectl presentity list alice@example.com --full",
      "presencectl presentity list --domain example.com -o jsonl",
  }));
}

}  // namespace presence::cli
