#include "cli/kamailio/acceptance.h"

#include <utility>

#include "configuration/loader.h"

namespace presence::cli {
namespace {

ConfigSources SourcesOf(const Migration& migration, Program program) {
  ConfigSources sources;
  sources.is_to_serve = false;
  for (const NewSetting& setting : migration.settings) {
    if (setting.key.program != program) continue;
    ConfigAssignment assignment;
    assignment.key = setting.key.key;
    assignment.values = setting.values;
    assignment.is_list = setting.values.size() != 1;
    assignment.origin.where = setting.reason;
    sources.flags.push_back(std::move(assignment));
  }
  return sources;
}

}  // namespace

absl::Status CheckAccepted(const Migration& migration) {
  const auto core = LoadCoreConfig(SourcesOf(migration, Program::kCore));
  if (!core.ok()) return core.status();
  return LoadGatewayConfig(SourcesOf(migration, Program::kGateway)).status();
}

}  // namespace presence::cli
