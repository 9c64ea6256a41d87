#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/command_line/durations.h"
#include "cli/command_line/options.h"
#include "cli/command_line/shell_words.h"
#include "cli/command_line/suggestion.h"
#include "cli/commands/commands.h"
#include "cli/documents/pidf.h"
#include "cli/output/printable.h"
#include "cli/output/wording.h"
#include "runtime/random.h"

namespace presence::cli {
namespace {

struct PublishOptions {
  std::string user;
  std::string event = "presence";
  bool is_open = false;
  bool is_closed = false;
  std::string note;
  std::string file;
  std::string content_type;
  std::string etag;
  std::optional<absl::Duration> expires;
  int32_t priority = 0;
  std::string sender;
  std::string request_id;
  bool dry_run = false;

  bool has_simple_presence() const { return is_open || is_closed || !note.empty(); }
};

// What a file of the event package is unless --content-type says otherwise.
std::string DefaultContentType(const std::string& event) {
  if (event == "presence") return kPidfType;
  if (event == "dialog" || event == "dialog;sla") return "application/dialog-info+xml";
  if (event == "message-summary") return "application/simple-message-summary";
  return "";
}

// Puts the document that `options` describe, if any, into `request`.
absl::Status AddDocument(const PublishOptions& options, Session& session,
                         v1::PublishRequest& request) {
  if (options.has_simple_presence()) {
    if (options.event != "presence") {
      return absl::InvalidArgumentError(
          absl::StrCat("--open, --closed and --note make a presence document; for ", options.event,
                       " give --file", DidYouMean(options.event, {"presence"})));
    }
    SimplePresence presence;
    if (options.is_open || options.is_closed) presence.is_open = options.is_open;
    presence.note = options.note;
    presence.tuple_id = absl::StrCat("pc", RandomHex(session.environment().random, 32));
    presence.time = session.environment().clock.WallNow();
    absl::StatusOr<std::string> pidf = BuildPidf(EntityOf(options.user), presence);
    if (!pidf.ok()) return pidf.status();
    request.mutable_document()->set_content_type(kPidfType);
    request.mutable_document()->set_body(*std::move(pidf));
    return absl::OkStatus();
  }
  if (options.file.empty()) {
    if (!options.etag.empty()) return absl::OkStatus();  // a refresh
    return absl::InvalidArgumentError(
        "nothing to publish; give --open, --closed, --note or --file, or --etag to refresh");
  }
  const std::string content_type =
      options.content_type.empty() ? DefaultContentType(options.event) : options.content_type;
  if (content_type.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("give --content-type: no default is known for event ", options.event));
  }
  absl::StatusOr<std::string> content = ReadDocument(options.file, session);
  if (!content.ok()) return content.status();
  request.mutable_document()->set_content_type(content_type);
  request.mutable_document()->set_body(*std::move(content));
  return absl::OkStatus();
}

// RFC 3903 section 4.1, table 1: etag and body decide what a PUBLISH does.
absl::string_view Deed(const v1::PublishRequest& request) {
  if (request.etag().empty()) return "published";
  return request.has_document() ? "modified" : "refreshed";
}

void PrintAnswer(const v1::PublishRequest& request, const v1::PublishResponse& response,
                 std::ostream& out) {
  if (request.validate_only()) {
    out << "checked  would be " << Deed(request) << "  expires "
        << DurationText(FromProto(response.expiry())) << "  would notify "
        << Count(response.watchers(), "watcher") << '\n';
    return;
  }
  out << Deed(request) << "  etag " << Printable(response.etag()) << "  expires "
      << DurationText(FromProto(response.expiry())) << "  revision " << Words(response.revision())
      << "  notified " << Count(response.watchers(), "watcher") << '\n';
  std::vector<std::string> undo = {"presencectl", "unpublish", request.presentity()};
  if (request.event() != "presence") undo.insert(undo.end(), {"--event", request.event()});
  undo.insert(undo.end(), {"--etag", response.etag()});
  // Only a first publication is undone by removing it; what a later one replaced is gone.
  const absl::string_view label = request.etag().empty() ? "undo" : "remove";
  out << label << std::string(Deed(request).size() + 2 - label.size(), ' ')
      << Printable(ShellCommand(undo)) << '\n';
}

ExitCode Publish(const PublishOptions& options, Session& session) {
  if (options.expires && *options.expires < absl::Seconds(1)) {
    return session.Fail(ExitCode::kUsage, "--expires: less than 1s would remove the publication",
                        "presencectl unpublish --help");
  }
  v1::PublishRequest request;
  request.set_presentity(options.user);
  request.set_event(options.event);
  request.set_etag(options.etag);
  if (options.expires) *request.mutable_expiry() = ToProto(*options.expires);
  request.set_priority(options.priority);
  request.set_sender(options.sender);
  request.set_validate_only(options.dry_run);
  if (const absl::Status added = AddDocument(options, session, request); !added.ok()) {
    const bool is_usage = absl::IsInvalidArgument(added);
    return session.Fail(is_usage ? ExitCode::kUsage : ExitCode::kNotFoundOrFalse, added.message(),
                        "presencectl publish --help");
  }
  request.set_request_id(session.RequestId(options.request_id));

  v1::PublishResponse response;
  const grpc::Status status = session.Call(
      session.presence(), &v1::PresenceService::StubInterface::Publish, request, &response);
  if (!status.ok()) {
    Subject subject = session.About(options.user, options.event);
    subject.repeat = session.RepeatWith(request.request_id());
    return session.Fail(status, subject);
  }
  session.Show(response, [&] { PrintAnswer(request, response, session.environment().out); });
  return ExitCode::kOk;
}

}  // namespace

void AddPublish(CLI::App& root, Chosen& chosen) {
  auto [command, options] = NewCommand<PublishOptions>(
      root, "publish", "Publish, refresh or change the state of a presentity", chosen, &Publish);
  AddArgument(*command, "USER", options->user, "Whose state, such as alice@example.com");
  CLI::Option* open =
      command->add_flag("--open", options->is_open, "Say: can be reached")->option_text(" ");
  CLI::Option* closed =
      command->add_flag("--closed", options->is_closed, "Say: cannot be reached")->option_text(" ");
  CLI::Option* note =
      command->add_option("--note", options->note, "Say it in words")->option_text("TEXT");
  CLI::Option* file =
      command->add_option("--file", options->file, "Publish this document; - reads standard input")
          ->option_text("FILE");
  open->excludes(closed)->excludes(file);
  closed->excludes(file);
  note->excludes(file);
  command
      ->add_option("--content-type", options->content_type,
                   "What FILE is; default: as the event has it")
      ->option_text("TYPE")
      ->needs(file);
  command->add_option("--etag", options->etag, "Change this publication; alone, refresh it")
      ->option_text("ETAG");
  AddDuration(*command, "--expires", options->expires,
              "How long it lasts; default: as the server has it");
  command->add_option("--priority", options->priority, "Larger wins where publications conflict")
      ->option_text("N");
  command
      ->add_option("--sender", options->sender,
                   "URI of the publishing device, which is not notified")
      ->option_text("URI");
  AddEvent(*command, options->event);
  command
      ->add_option("--request-id", options->request_id,
                   "Makes repeating safe; default: a new one each time")
      ->option_text("ID");
  command->add_flag("--dry-run", options->dry_run, "Check everything, change nothing");
  command->footer(Examples({
      "presencectl publish alice@example.com --open --note \"At my desk\" --expires 10m",
      "presencectl publish alice@example.com --etag pc1-7Q2M --expires 1h30m",
      "presencectl publish alice@example.com --file busy.xml --dry-run",
  }));
}

absl::StatusOr<std::string> ReadDocument(const std::string& file, Session& session) {
  auto read = [](std::istream& in) {
    return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  };
  if (file == "-") return read(session.environment().in);
  std::ifstream in(file, std::ios::binary);
  std::string content = in ? read(in) : "";
  if (!in) return absl::NotFoundError(absl::StrCat("cannot read \"", file, "\""));
  return content;
}

CLI::Option* AddEvent(CLI::App& command, std::string& event) {
  return command.add_option("-e,--event", event, "Event package; default: presence")
      ->option_text("EVENT");
}

}  // namespace presence::cli
