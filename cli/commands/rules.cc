#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/command_line/durations.h"
#include "cli/command_line/options.h"
#include "cli/command_line/shell_words.h"
#include "cli/commands/commands.h"
#include "cli/commands/pages.h"
#include "cli/documents/summary.h"
#include "cli/output/printable.h"
#include "cli/output/table.h"
#include "cli/output/wording.h"

namespace presence::cli {
namespace {

using Stub = v1::RulesService::StubInterface;

// Names one document.
struct NameOptions {
  std::string user;
  v1::RulesKind kind = v1::RULES_KIND_HARD_STATE;
  std::string name = "index";

  v1::RulesName ToProto() const {
    v1::RulesName out;
    out.set_owner(user);
    out.set_kind(kind);
    out.set_name(name);
    return out;
  }
};

struct PutOptions : NameOptions {
  std::string file;
  std::string content_type;
  std::string etag;
  bool is_new = false;
  std::string request_id;
  bool dry_run = false;
};

struct GetOptions : NameOptions {
  bool raw = false;
};

struct ListOptions {
  std::string user;
  v1::RulesKind kind = v1::RULES_KIND_UNSPECIFIED;
  int32_t limit = 0;
};

struct DeleteOptions : NameOptions {
  std::string etag;
  std::string request_id;
};

std::string Words(v1::RulesKind kind) {
  switch (kind) {
    case v1::RULES_KIND_PRES_RULES:
      return "pres-rules";
    case v1::RULES_KIND_HARD_STATE:
      return "hard-state";
    case v1::RULES_KIND_RESOURCE_LISTS:
      return "resource-lists";
    default:
      return "-";
  }
}

std::string DefaultContentType(v1::RulesKind kind) {
  switch (kind) {
    case v1::RULES_KIND_PRES_RULES:
      return "application/auth-policy+xml";
    case v1::RULES_KIND_RESOURCE_LISTS:
      return "application/resource-lists+xml";
    default:
      return "application/pidf+xml";
  }
}

// What is wrong with a document shows in the list of documents, not in that of publications.
ExitCode Fail(const grpc::Status& status, const std::string& user, const std::string& repeat,
              Session& session) {
  Subject subject = session.About(user);
  subject.repeat = repeat;
  const Failure failure = Explain(status, subject);
  const bool is_about_documents =
      failure.reason == "ETAG_MISMATCH" || failure.reason == "PUBLICATION_UNKNOWN";
  if (!is_about_documents) return session.Fail(status, subject);
  return session.Fail(failure.exit_code, absl::StrCat(failure.reason, ": ", failure.message),
                      absl::StrCat("presencectl rules list ", ShellQuote(user)));
}

ExitCode Validate(const PutOptions& options, v1::Document document, Session& session) {
  v1::ValidateRulesRequest request;
  request.set_kind(options.kind);
  request.set_owner(options.user);
  *request.mutable_document() = std::move(document);
  v1::ValidateRulesResponse response;
  const grpc::Status status =
      session.Call(session.rules(), &Stub::ValidateRules, request, &response);
  if (!status.ok()) return Fail(status, options.user, "", session);
  session.Show(response, [&] {
    std::ostream& out = session.environment().out;
    if (response.valid()) out << "checked  can be stored\n";
    for (const v1::RulesFinding& finding : response.findings()) {
      out << Printable(finding.code()) << "  line " << finding.line() << "  column "
          << finding.column() << "  " << Printable(finding.message()) << '\n';
    }
  });
  return response.valid() ? ExitCode::kOk : ExitCode::kFailed;
}

grpc::Status Store(const PutOptions& options, const v1::RulesDocument& rules,
                   const std::string& request_id, Session& session, v1::RulesDocument& stored) {
  if (options.is_new) {
    v1::CreateRulesRequest request;
    *request.mutable_rules() = rules;
    request.set_request_id(request_id);
    return session.Call(session.rules(), &Stub::CreateRules, request, &stored);
  }
  v1::UpdateRulesRequest request;
  *request.mutable_rules() = rules;
  request.set_etag(options.etag);
  request.set_allow_missing(options.etag.empty());
  request.set_request_id(request_id);
  return session.Call(session.rules(), &Stub::UpdateRules, request, &stored);
}

ExitCode Put(const PutOptions& options, Session& session) {
  absl::StatusOr<std::string> content = ReadDocument(options.file, session);
  if (!content.ok()) {
    return session.Fail(ExitCode::kNotFoundOrFalse, content.status().message(),
                        "presencectl rules put --help");
  }
  v1::RulesDocument rules;
  *rules.mutable_name() = options.ToProto();
  rules.mutable_document()->set_content_type(
      options.content_type.empty() ? DefaultContentType(options.kind) : options.content_type);
  rules.mutable_document()->set_body(*std::move(content));
  if (options.dry_run) return Validate(options, rules.document(), session);

  const std::string request_id = session.RequestId(options.request_id);
  v1::RulesDocument stored;
  const grpc::Status status = Store(options, rules, request_id, session, stored);
  if (!status.ok()) {
    return Fail(status, options.user, session.RepeatWith(request_id), session);
  }
  session.Show(stored, [&] {
    session.environment().out << "stored  " << Words(stored.name().kind()) << "  "
                              << Printable(stored.name().name()) << "  etag "
                              << Printable(stored.etag()) << '\n';
  });
  return ExitCode::kOk;
}

void PrintDocuments(const std::vector<v1::RulesDocument>& documents, Environment& environment) {
  const absl::Time now = environment.clock.WallNow();
  Table table({{"OWNER"}, {"KIND"}, {"NAME"}, {"ETAG"}, {"CHANGED", Table::Align::kRight}});
  for (const v1::RulesDocument& d : documents) {
    table.Add({d.name().owner(), Words(d.name().kind()), d.name().name(), d.etag(),
               absl::StrCat(DurationText(now - FromProto(d.update_time())), " ago")});
  }
  table.Print(environment.out, environment.terminal);
}

ExitCode Get(const GetOptions& options, Session& session) {
  v1::GetRulesRequest request;
  *request.mutable_name() = options.ToProto();
  v1::RulesDocument document;
  const grpc::Status status = session.Call(session.rules(), &Stub::GetRules, request, &document);
  if (!status.ok()) return Fail(status, options.user, "", session);
  if (options.raw) {
    session.environment().out << BodyOf(document.document());
    return ExitCode::kOk;
  }
  session.Show(document, [&] { PrintDocuments({document}, session.environment()); });
  return ExitCode::kOk;
}

ExitCode List(const ListOptions& options, Session& session) {
  const OutputFormat output = session.options().output;
  v1::ListRulesRequest request;
  request.set_owner(options.user);
  request.set_kind(options.kind);
  std::vector<v1::RulesDocument> documents;
  v1::ListRulesResponse all;
  const grpc::Status status = ReadPages<v1::ListRulesRequest, v1::ListRulesResponse>(
      session, session.rules(), &Stub::ListRules, request, options.limit,
      [&](v1::ListRulesResponse& page) {
        for (auto& document : *page.mutable_rules()) {
          if (output == OutputFormat::kJsonLines) session.ShowJson(document);
          if (output == OutputFormat::kJson) *all.add_rules() = document;
          if (output == OutputFormat::kTable) documents.push_back(std::move(document));
        }
      });
  if (!status.ok()) return Fail(status, options.user, "", session);
  if (output == OutputFormat::kJson) session.ShowJson(all);
  if (output != OutputFormat::kTable) return ExitCode::kOk;
  if (documents.empty()) {
    session.Note(options.user.empty() ? "no documents are stored"
                                      : absl::StrCat(options.user, " has no documents"));
  } else {
    PrintDocuments(documents, session.environment());
  }
  return ExitCode::kOk;
}

ExitCode Delete(const DeleteOptions& options, Session& session) {
  v1::DeleteRulesRequest request;
  *request.mutable_name() = options.ToProto();
  request.set_etag(options.etag);
  request.set_request_id(session.RequestId(options.request_id));
  v1::DeleteRulesResponse response;
  const grpc::Status status = session.Call(session.rules(), &Stub::DeleteRules, request, &response);
  if (!status.ok()) {
    return Fail(status, options.user, session.RepeatWith(request.request_id()), session);
  }
  session.Show(response, [&] {
    session.environment().out << "deleted  " << Words(options.kind) << "  "
                              << Printable(options.name) << '\n';
  });
  return ExitCode::kOk;
}

void AddKind(CLI::App& command, v1::RulesKind& kind, const std::string& description) {
  AddChoice<v1::RulesKind>(command, "--kind", kind,
                           {{"hard-state", v1::RULES_KIND_HARD_STATE},
                            {"pres-rules", v1::RULES_KIND_PRES_RULES},
                            {"resource-lists", v1::RULES_KIND_RESOURCE_LISTS}},
                           description);
}

void AddName(CLI::App& command, NameOptions& options) {
  AddArgument(command, "USER", options.user, "Whose document, such as alice@example.com");
  AddKind(command, options.kind, "What it is for; default: hard-state");
  command.add_option("--name", options.name, "Its file name; default: index")->option_text("NAME");
}

void AddRequestId(CLI::App& command, std::string& request_id) {
  command
      .add_option("--request-id", request_id, "Makes repeating safe; default: a new one each time")
      ->option_text("ID");
}

void AddPut(CLI::App& rules, Chosen& chosen) {
  auto [command, options] = NewCommand<PutOptions>(
      rules, "put", "Store a document; watchers see what changes at once", chosen, &Put);
  AddName(*command, *options);
  command->add_option("--file", options->file, "The document; - reads standard input")
      ->option_text("FILE")
      ->required();
  command->add_option("--content-type", options->content_type, "What FILE is; default: by kind")
      ->option_text("TYPE");
  CLI::Option* etag = command->add_option("--etag", options->etag, "Replace only this content")
                          ->option_text("ETAG");
  command->add_flag("--new", options->is_new, "Refuse to replace a document")->excludes(etag);
  AddRequestId(*command, options->request_id);
  command->add_flag("--dry-run", options->dry_run, "Check the document, store nothing");
  command->footer(Examples({
      "presencectl rules put alice@example.com --file busy.xml",
      "presencectl rules put alice@example.com --file busy.xml --name vacation --new",
      "presencectl rules put alice@example.com --file busy.xml --dry-run",
  }));
}

}  // namespace

void AddRules(CLI::App& root, Chosen& chosen) {
  CLI::App* rules = root.add_subcommand(
      "rules",
      "Store documents of a presentity, such as the state that holds while nothing is "
      "published");
  AddPut(*rules, chosen);

  auto [get, get_options] =
      NewCommand<GetOptions>(*rules, "get", "Show a stored document", chosen, &Get);
  AddName(*get, *get_options);
  get->add_flag("--raw", get_options->raw, "Print the document itself, byte for byte");
  get->footer(Examples({
      "presencectl rules get bob@example.com",
      "presencectl rules get bob@example.com --raw",
      "presencectl rules get bob@example.com --kind hard-state --name index -o json",
  }));

  auto [list, list_options] =
      NewCommand<ListOptions>(*rules, "list", "List stored documents", chosen, &List);
  list->add_option("USER", list_options->user, "Only of this owner")->option_text(" ");
  AddKind(*list, list_options->kind, "Only of this kind");
  list->add_option("--limit", list_options->limit, "At most this many; default: all")
      ->option_text("N")
      ->check(CLI::NonNegativeNumber);
  list->footer(Examples({
      "presencectl rules list",
      "presencectl rules list bob@example.com",
      "presencectl rules list --kind hard-state -o jsonl",
  }));

  auto [remove, remove_options] = NewCommand<DeleteOptions>(
      *rules, "delete", "Remove a stored document; watchers see that it is gone", chosen, &Delete);
  AddName(*remove, *remove_options);
  remove->add_option("--etag", remove_options->etag, "Only this content")->option_text("ETAG");
  AddRequestId(*remove, remove_options->request_id);
  remove->footer(Examples({
      "presencectl rules delete bob@example.com",
      "presencectl rules delete bob@example.com --name index",
      "presencectl rules delete bob@example.com --etag doc-1",
  }));
  rules->footer(Examples({"presencectl rules list"}));
}

}  // namespace presence::cli
