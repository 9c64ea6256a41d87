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
#include "cli/kamailio/acceptance.h"
#include "cli/kamailio/migration.h"
#include "cli/kamailio/report.h"
#include "cli/kamailio/script.h"
#include "cli/output/printable.h"

namespace presence::cli {
namespace {

struct MigrateOptions {
  std::string cfg;
  std::string out_dir = ".";
  std::vector<std::string> domains;
  std::vector<std::string> defines;
  bool dry_run = false;
  bool force = false;
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

google::protobuf::Struct ToStruct(const Migration& migration, const std::vector<NewFile>& written) {
  google::protobuf::Struct shown;
  auto& rows = *(*shown.mutable_fields())["rows"].mutable_list_value();
  for (const MigrationRow& row : migration.rows) {
    *rows.add_values()->mutable_struct_value() = ToStruct(migration, row);
  }
  auto& files = *(*shown.mutable_fields())["files"].mutable_list_value();
  for (const NewFile& file : written) files.add_values()->set_string_value(Printable(file.path));
  return shown;
}

// Makes the directory and both files, or neither file where one of them must stay.
absl::Status WriteAll(const MigrateOptions& options, const std::vector<NewFile>& files) {
  std::error_code error;
  std::filesystem::create_directories(options.out_dir, error);
  if (error) return absl::InternalError(absl::StrCat(options.out_dir, ": ", error.message()));
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
  if (!options.dry_run) {
    for (const Program program : {Program::kCore, Program::kGateway}) {
      const std::filesystem::path name = ProgramName(program) + ".yaml";
      files.push_back({(options.out_dir / name).string(), ConfigurationFile(migration, program)});
    }
    if (const absl::Status status = WriteAll(options, files); !status.ok()) {
      if (!absl::IsAlreadyExists(status)) {
        return session.Fail(ExitCode::kFailed, std::string(status.message()));
      }
      return session.Fail(ExitCode::kConflict, std::string(status.message()),
                          "--force to replace it, --out-dir for another place, or --dry-run");
    }
  }
  session.Show(ToStruct(migration, files), [&] {
    std::ostream& out = session.environment().out;
    PrintReport(migration, out, session.environment().terminal);
    for (const NewFile& file : files) out << "written  " << Printable(file.path) << '\n';
    if (options.dry_run) out << "nothing is written: --dry-run\n";
  });
  return ExitCode::kOk;
}

}  // namespace

void AddMigrate(CLI::App& root, Chosen& chosen) {
  CLI::App* group = root.add_subcommand("migrate", "Move here from another presence server");
  group->require_subcommand(1);
  auto [command, options] = NewCommand<MigrateOptions>(
      *group, "kamailio",
      "Read a Kamailio 5.6 configuration: what becomes of each parameter of the presence module, "
      "and configurations for here",
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
                   "Where presence-core.yaml and sip-gateway.yaml go; default: here")
      ->option_text("DIR");
  command->add_flag("--dry-run", options->dry_run, "Report, write nothing");
  command->add_flag("--force", options->force, "Replace files that exist");
  group->footer(Examples({"presencectl migrate kamailio --cfg kamailio.cfg --dry-run"}));
  command->footer(Examples({
      "presencectl migrate kamailio --cfg kamailio.cfg --define WITH_PRESENCE --dry-run",
      "presencectl migrate kamailio --cfg kamailio.cfg --domain example.com --out-dir migrated",
      "presencectl migrate kamailio --cfg kamailio.cfg --dry-run -o json",
  }));
}

}  // namespace presence::cli
