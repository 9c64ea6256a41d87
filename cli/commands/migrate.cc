#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <google/protobuf/struct.pb.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "cli/command_line/options.h"
#include "cli/commands/commands.h"
#include "cli/commands/migrate_tables.h"
#include "cli/kamailio/acceptance.h"
#include "cli/kamailio/migration.h"
#include "cli/kamailio/report.h"
#include "cli/kamailio/script.h"
#include "cli/kamailio_tables/tables.h"
#include "cli/output/printable.h"

namespace presence::cli {
namespace {

struct MigrateOptions {
  std::string cfg;
  std::string db;
  std::string gateway;
  std::string checkpoint;
  std::string out_dir;
  std::vector<std::string> domains;
  std::vector<std::string> defines;
  bool dry_run = false;
  bool force = false;
  bool notify = false;

  bool has_tables() const { return !db.empty(); }
  // Once the tables are read the configurations have been written, and may have been changed.
  bool writes_files() const { return !dry_run && (!has_tables() || !out_dir.empty()); }
  std::string folder() const { return out_dir.empty() ? "." : out_dir; }
};

std::string ErrorText(int error) { return std::system_category().message(error); }

absl::StatusOr<std::string> ReadTextFile(const std::string& path) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  // A directory opens well and fails at the first read; so does an empty file, without an error.
  if (!stream || (!(text << stream.rdbuf()) && errno != 0)) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot be read: ", ErrorText(errno)));
  }
  return text.str();
}

// A file that is written, and its text.
struct NewFile {
  std::string path;
  std::string text;
};

// Errors: AlreadyExists   there is one of that name and it must stay
//         Internal        the system refuses, with its reason
absl::Status Write(const NewFile& file, bool may_replace) {
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (may_replace ? O_TRUNC : O_EXCL);
  const int descriptor = open(file.path.c_str(), flags, 0644);
  if (descriptor < 0) {
    if (errno == EEXIST) return absl::AlreadyExistsError(absl::StrCat(file.path, " exists"));
    return absl::InternalError(absl::StrCat(file.path, ": ", ErrorText(errno)));
  }
  std::string_view rest = file.text;
  while (!rest.empty()) {
    const ssize_t written = write(descriptor, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) break;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  const int error = errno;
  const bool is_closed = close(descriptor) == 0;
  if (rest.empty() && is_closed) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat(file.path, ": ", ErrorText(rest.empty() ? errno : error)));
}

std::map<std::string, std::string> Defines(const std::vector<std::string>& given) {
  std::map<std::string, std::string> defines;
  for (const std::string& define : given) {
    const std::size_t equals = define.find('=');
    defines[define.substr(0, equals)] =
        equals == std::string::npos ? "" : define.substr(equals + 1);
  }
  return defines;
}

google::protobuf::Struct ToStruct(const Migration& migration, const MigrationRow& row) {
  google::protobuf::Struct shown;
  auto& fields = *shown.mutable_fields();
  fields["fate"].set_string_value(FateName(row.fate));
  fields["subject"].set_string_value(Printable(row.subject));
  fields["was"].set_string_value(Printable(row.was));
  fields["position"].set_string_value(row.position ? Printable(row.position->text()) : "");
  fields["note"].set_string_value(Printable(row.note));
  auto& settings = *fields["settings"].mutable_list_value();
  for (const SuccessorKey& key : row.keys) {
    auto& setting = *settings.add_values()->mutable_struct_value()->mutable_fields();
    setting["program"].set_string_value(ProgramName(key.program));
    setting["key"].set_string_value(key.key);
    auto& values = *setting["values"].mutable_list_value();
    for (const NewSetting& made : migration.settings) {
      if (made.key != key) continue;
      for (const std::string& value : made.values) values.add_values()->set_string_value(value);
    }
  }
  return shown;
}

google::protobuf::Struct ToStruct(const Migration& migration, const std::vector<NewFile>& written,
                                  const TablesOutcome* tables) {
  google::protobuf::Struct shown;
  auto& rows = *(*shown.mutable_fields())["rows"].mutable_list_value();
  for (const MigrationRow& row : migration.rows) {
    *rows.add_values()->mutable_struct_value() = ToStruct(migration, row);
  }
  auto& files = *(*shown.mutable_fields())["files"].mutable_list_value();
  for (const NewFile& file : written) files.add_values()->set_string_value(Printable(file.path));
  if (tables != nullptr) {
    *(*shown.mutable_fields())["tables"].mutable_struct_value() = ToStruct(*tables);
  }
  return shown;
}

// Makes the directory and both files, or neither file where one of them must stay.
absl::Status WriteAll(const MigrateOptions& options, const std::vector<NewFile>& files) {
  std::error_code error;
  std::filesystem::create_directories(options.folder(), error);
  if (error) return absl::InternalError(absl::StrCat(options.folder(), ": ", error.message()));
  for (const NewFile& file : files) {
    if (!options.force && std::filesystem::exists(file.path, error)) {
      return absl::AlreadyExistsError(absl::StrCat(file.path, " exists"));
    }
  }
  for (const NewFile& file : files) {
    if (absl::Status status = Write(file, options.force); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// What the script calls the tables.
TableNames NamesIn(const Script& script) {
  TableNames names;
  for (const auto& [module, parameter, name] :
       {std::tuple("presence", "presentity_table", &names.presentity),
        std::tuple("presence", "active_watchers_table", &names.active_watchers),
        std::tuple("presence", "watchers_table", &names.watchers),
        std::tuple("presence_xml", "xcap_table", &names.xcap)}) {
    if (const ScriptValue* value = script.Find(module, parameter)) *name = value->text;
  }
  return names;
}

// A gateway is called as its host unless it is told otherwise.
std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

ExitCode MigrateTables(const MigrateOptions& options, const Script& script, Session& session,
                       TablesOutcome& outcome) {
  TablesOptions table_options;
  table_options.dry_run = options.dry_run;
  table_options.notify = options.notify;
  if (!options.checkpoint.empty()) {
    const std::optional<TablePosition> from = TablePosition::Parse(options.checkpoint);
    if (!from.has_value()) {
      return session.Fail(ExitCode::kUsage,
                          absl::StrCat("--checkpoint ", Printable(options.checkpoint),
                                       " is none that an import has named"));
    }
    table_options.from = *from;
  }
  auto tables = OpenKamailioTables(options.db, NamesIn(script),
                                   options.gateway.empty() ? HostName() : options.gateway);
  if (!tables.ok()) {
    return session.Fail(
        absl::IsInvalidArgument(tables.status()) ? ExitCode::kUsage : ExitCode::kUnreachable,
        std::string(tables.status().message()),
        "--db with what psql takes: postgresql://kamailio@localhost/kamailio, or service=NAME");
  }
  return ImportTables(**tables, table_options, session, outcome);
}

void ShowTables(const Migration& migration, const std::vector<NewFile>& files,
                const TablesOutcome& tables, const MigrateOptions& options, Session& session) {
  session.Show(ToStruct(migration, files, &tables), [&] {
    PrintTables(tables, options.dry_run, session.environment().out, session.environment().terminal);
  });
}

ExitCode MigrateKamailio(const MigrateOptions& options, Session& session) {
  const absl::StatusOr<Script> script =
      ReadScript(options.cfg, ReadTextFile, Defines(options.defines));
  if (!script.ok()) {
    return session.Fail(absl::IsNotFound(script.status()) ? ExitCode::kNotFoundOrFalse
                                                          : ExitCode::kBadConfiguration,
                        std::string(script.status().message()));
  }
  if (!script->Loads("presence")) {
    return session.Fail(ExitCode::kNotFoundOrFalse,
                        absl::StrCat(options.cfg, ": the module presence is not loaded"),
                        "--define WITH_PRESENCE, or what else is given to Kamailio by -A");
  }
  const Migration migration = Migrate(*script, options.domains);
  if (const absl::Status status = CheckAccepted(migration); !status.ok()) {
    return session.Fail(ExitCode::kBadConfiguration, std::string(status.message()),
                        "change it in the script and run this again");
  }
  std::vector<NewFile> files;
  if (options.writes_files()) {
    for (const Program program : {Program::kCore, Program::kGateway}) {
      const std::filesystem::path folder = options.folder();
      files.push_back({(folder / (ProgramName(program) + ".yaml")).string(),
                       ConfigurationFile(migration, program)});
    }
    if (const absl::Status status = WriteAll(options, files); !status.ok()) {
      if (!absl::IsAlreadyExists(status)) {
        return session.Fail(ExitCode::kFailed, std::string(status.message()));
      }
      return session.Fail(ExitCode::kConflict, std::string(status.message()),
                          "--force to replace it, --out-dir for another place, or --dry-run");
    }
  }
  TablesOutcome tables;
  if (options.has_tables()) {
    const ExitCode imported = MigrateTables(options, *script, session, tables);
    if (imported != ExitCode::kOk) {
      // What was done is done.
      if (tables.is_begun) ShowTables(migration, files, tables, options, session);
      return imported;
    }
  }
  const TablesOutcome* shown_tables = options.has_tables() ? &tables : nullptr;
  session.Show(ToStruct(migration, files, shown_tables), [&] {
    std::ostream& out = session.environment().out;
    const Terminal& terminal = session.environment().terminal;
    PrintReport(migration, out, terminal);
    for (const NewFile& file : files) out << "written  " << Printable(file.path) << '\n';
    if (shown_tables != nullptr) {
      out << '\n';
      PrintTables(tables, options.dry_run, out, terminal);
    }
    if (options.dry_run) out << "nothing is written: --dry-run\n";
  });
  return tables.refused_rows() == 0 ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace

void AddMigrate(CLI::App& root, Chosen& chosen) {
  CLI::App* group = root.add_subcommand("migrate", "Move here from another presence server");
  group->require_subcommand(1);
  auto [command, options] = NewCommand<MigrateOptions>(
      *group, "kamailio",
      "Read a Kamailio 5.6 configuration: what becomes of each parameter of the presence module, "
      "and configurations for here; with --db, import its tables",
      chosen, &MigrateKamailio);
  command->add_option("--cfg", options->cfg, "The script, such as /etc/kamailio/kamailio.cfg")
      ->option_text("FILE")
      ->required();
  command
      ->add_option("--define", options->defines,
                   "Define this first, as kamailio -A does; may be repeated")
      ->option_text("NAME[=VALUE]")
      ->allow_extra_args(false);
  command
      ->add_option("--domain", options->domains,
                   "A domain served; may be repeated; default: the aliases in the script")
      ->option_text("DOMAIN")
      ->allow_extra_args(false);
  command
      ->add_option("--out-dir", options->out_dir,
                   "Where presence-core.yaml and sip-gateway.yaml go; default: here, and with --db "
                   "nowhere")
      ->option_text("DIR");
  CLI::Option* db =
      command
          ->add_option(
              "--db", options->db,
              "Import publications, dialogs, hard state and decisions from Kamailio's PostgreSQL "
              "into the server, as psql names it; stop Kamailio first")
          ->option_text("DSN");
  command
      ->add_option("--gateway", options->gateway,
                   "The name, or group, of the sip-gateway that phones reach in Kamailio's place; "
                   "default: this host's name, as there")
      ->option_text("NAME")
      ->needs(db);
  command
      ->add_option("--checkpoint", options->checkpoint,
                   "Go on where an import that failed says it has come to")
      ->option_text("POSITION")
      ->needs(db);
  command
      ->add_flag("--notify", options->notify,
                 "Send imported watchers the present state at once; without, at the next change or "
                 "refresh")
      ->needs(db);
  command->add_flag("--dry-run", options->dry_run, "Report, write and import nothing");
  command->add_flag("--force", options->force, "Replace files that exist");
  group->footer(Examples({"presencectl migrate kamailio --cfg kamailio.cfg --dry-run"}));
  command->footer(Examples({
      "presencectl migrate kamailio --cfg kamailio.cfg --define WITH_PRESENCE --dry-run",
      "presencectl migrate kamailio --cfg kamailio.cfg --domain example.com --out-dir migrated",
      "presencectl migrate kamailio --cfg kamailio.cfg --dry-run -o json",
      "presencectl migrate kamailio --cfg kamailio.cfg --db service=kamailio --dry-run",
      "presencectl migrate kamailio --cfg kamailio.cfg --db service=kamailio --gateway edge",
  }));
}

}  // namespace presence::cli
