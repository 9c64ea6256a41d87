// Kamailio scripts: any bytes are read or refused with a position; what is read ends in files that
// our programs take, and no value of the script sets a key by getting out of its comment.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "cli/kamailio/migration.h"
#include "cli/kamailio/script.h"
#include "cli/output/printable.h"
#include "configuration/faults.h"
#include "configuration/schema.h"
#include "configuration/yaml_source.h"

namespace presence::cli {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckFile(const Migration& migration, Program program) {
  const ConfigSchema& schema =
      program == Program::kCore ? CoreConfigSchema() : GatewayConfigSchema();
  ConfigFaults faults;
  const auto read = ReadYaml(ConfigurationFile(migration, program), "f.yaml", schema, faults);
  Require(faults.empty());
  std::size_t set = 0;
  for (const NewSetting& setting : migration.settings) {
    if (setting.key.program == program) ++set;
  }
  Require(read.size() == set);
  for (const ConfigAssignment& assignment : read) {
    Require(migration.Sets({program, assignment.key}));
  }
}

}  // namespace
}  // namespace presence::cli

// The first part is the script, what follows a line of "%%" a file it may include.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace presence::cli;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = text.find("\n%%\n");
  const std::map<std::string, std::string> files = {
      {"k.cfg", text.substr(0, cut)},
      {"i.cfg", cut == std::string::npos ? "" : text.substr(cut + 4)}};
  const FileReader read = [&files](const std::string& path) -> absl::StatusOr<std::string> {
    const auto file = files.find(path);
    if (file == files.end()) return absl::NotFoundError("no such file");
    return file->second;
  };
  const auto script = ReadScript("k.cfg", read, {});
  if (!script.ok()) {
    const std::string message(script.status().message());
    Require(absl::StartsWith(message, "k.cfg:") || absl::StartsWith(message, "i.cfg:"));
    return 0;
  }
  const Migration migration = Migrate(*script, {});
  for (const Program program : {Program::kCore, Program::kGateway}) CheckFile(migration, program);
  return 0;
}
