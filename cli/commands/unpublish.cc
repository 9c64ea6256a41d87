#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command_line/durations.h"
#include "cli/command_line/options.h"
#include "cli/command_line/shell_words.h"
#include "cli/commands/commands.h"
#include "cli/commands/pages.h"
#include "cli/documents/summary.h"
#include "cli/output/printable.h"
#include "cli/output/wording.h"

namespace presence::cli {
namespace {

struct UnpublishOptions {
  std::string user;
  std::string event = "presence";
  std::string etag;
  bool all = false;
  std::string request_id;
};

using Publications = std::vector<v1::Publication>;

grpc::Status FindPublications(const UnpublishOptions& options, Session& session,
                              Publications& found) {
  v1::ListPresentitiesRequest request;
  request.set_presentity(options.user);
  request.set_event(options.event);
  request.set_view(v1::VIEW_FULL);  // the documents, to tell how to undo it
  return ReadPages<v1::ListPresentitiesRequest, v1::ListPresentitiesResponse>(
      session, &v1::PresenceService::StubInterface::ListPresentities, request, 0,
      [&found](v1::ListPresentitiesResponse& page) {
        for (auto& publication : *page.mutable_publications()) {
          found.push_back(std::move(publication));
        }
      });
}

// The command that publishes the like of what was removed, as far as options of publish can say it.
std::string Undo(const UnpublishOptions& options, const v1::Publication& removed, absl::Time now) {
  const DocumentSummary summary = Summarise(removed.document());
  if (options.event != "presence" || (summary.state != "open" && summary.state != "closed"))
    return "";
  std::vector<std::string> words = {"presencectl", "publish", options.user,
                                    absl::StrCat("--", summary.state)};
  if (!summary.note.empty()) words.insert(words.end(), {"--note", Printable(summary.note)});
  const absl::Duration left = FromProto(removed.expire_time()) - now;
  if (left >= absl::Seconds(1)) words.insert(words.end(), {"--expires", DurationText(left)});
  return ShellCommand(words);
}

ExitCode Remove(const UnpublishOptions& options, const v1::Publication& publication,
                Session& session) {
  v1::PublishRequest request;
  request.set_presentity(options.user);
  request.set_event(options.event);
  request.set_etag(publication.etag());
  *request.mutable_expiry() = ToProto(absl::ZeroDuration());  // RFC 3903 section 4.5: removes
  request.set_request_id(session.RequestId(options.request_id));
  v1::PublishResponse response;
  const grpc::Status status = session.Call(
      session.presence(), &v1::PresenceService::StubInterface::Publish, request, &response);
  if (!status.ok()) {
    Subject subject = session.About(options.user, options.event);
    // Without the entity-tag a repetition would look for another publication to remove.
    if (!options.etag.empty()) subject.repeat = session.RepeatWith(request.request_id());
    return session.Fail(status, subject);
  }
  session.Show(response, [&] {
    std::ostream& out = session.environment().out;
    out << "unpublished  etag " << Printable(publication.etag()) << "  revision "
        << Words(response.revision()) << "  notified " << Count(response.watchers(), "watcher")
        << '\n';
    const std::string undo = Undo(options, publication, session.environment().clock.WallNow());
    if (!undo.empty()) out << "undo         " << undo << '\n';
  });
  return ExitCode::kOk;
}

ExitCode Unpublish(const UnpublishOptions& options, Session& session) {
  Publications found;
  const grpc::Status status = FindPublications(options, session, found);
  if (!status.ok()) return session.Fail(status, session.About(options.user, options.event));

  if (!options.etag.empty()) {
    std::erase_if(found, [&](const v1::Publication& p) { return p.etag() != options.etag; });
    if (found.empty())
      found.emplace_back().set_etag(options.etag);  // the server knows what it is not
  }
  if (found.empty()) {
    return session.Fail(ExitCode::kNotFoundOrFalse,
                        absl::StrCat(options.user, " has nothing published for ", options.event),
                        "presencectl presentity list");
  }
  if (found.size() > 1 && !options.all) {
    return session.Fail(
        ExitCode::kConflict,
        absl::StrCat(options.user, " has ", found.size(),
                     " publications; name one with --etag, or remove --all"),
        absl::StrCat("presencectl presentity list ", ShellQuote(options.user), " --full"));
  }
  for (const v1::Publication& publication : found) {
    const ExitCode removed = Remove(options, publication, session);
    if (removed != ExitCode::kOk) return removed;
  }
  return ExitCode::kOk;
}

}  // namespace

void AddUnpublish(CLI::App& root, Chosen& chosen) {
  auto [command, options] = NewCommand<UnpublishOptions>(
      root, "unpublish", "Remove what a presentity has published", chosen, &Unpublish);
  AddArgument(*command, "USER", options->user, "Whose publication, such as alice@example.com");
  CLI::Option* etag =
      command->add_option("--etag", options->etag, "Remove this one; needed when there are several")
          ->option_text("ETAG");
  CLI::Option* all =
      command->add_flag("--all", options->all, "Remove all of them")->option_text(" ");
  AddEvent(*command, options->event);
  command
      ->add_option("--request-id", options->request_id,
                   "Makes repeating safe; default: a new one each time")
      ->option_text("ID")
      ->needs(etag);
  all->excludes(etag);
  command->footer(Examples({
      "presencectl unpublish alice@example.com",
      "presencectl unpublish alice@example.com --etag pc1-7Q2M",
      "presencectl unpublish alice@example.com --all",
  }));
}

}  // namespace presence::cli
