#include "presence-core/server/migrate.h"

#include <fmt/format.h>

#include <iostream>

#include "configuration/command_line.h"
#include "presence-core/model/error.h"
#include "presence-core/server/storage.h"
#include "presence-core/storage/postgres/schema.h"
#include "presence-core/storage/postgres/views.h"
#include "runtime/clock.h"

namespace presence {
namespace {

constexpr int kFailedExit = 1;

int Finish(const absl::Status& status) {
  if (status.ok()) return 0;
  std::cerr << "presence-core: " << status.message() << "\n";
  return ReasonOf(status) == ErrorReason::kInvalidField ? kBadConfigurationExit : kFailedExit;
}

int PrintSchemaStatus(const DatabaseOptions& options, const Clock& clock) {
  const auto version = ReadSchemaVersion(options, clock);
  if (!version.ok()) return Finish(version.status());
  std::cout << DescribeDsn(options.dsn) << "\n";
  for (const Migration& migration : Migrations()) {
    std::cout << fmt::format("  {:4} {:30} {}\n", migration.version, migration.name,
                             migration.version <= version->database ? "applied" : "missing");
  }
  return Finish(CheckSchema(options, clock));
}

}  // namespace

int Migrate(const v1::StorageConfig& config, const MigrateCommand& command) {
  const auto options = ToDatabaseOptions(config);
  if (!options.ok()) return Finish(options.status());
  const SystemClock clock;
  if (command.verb == MigrateCommand::Verb::kStatus) return PrintSchemaStatus(*options, clock);
  const auto print = [&](const Migration& migration, bool is_up) {
    std::cout << fmt::format("{}{} {} {}\n", command.dry_run ? "would go " : "",
                             is_up ? "up" : "down", migration.version, migration.name);
  };
  if (command.verb == MigrateCommand::Verb::kDown) {
    return Finish(MigrateDown(*options, command.to, command.dry_run, clock, print));
  }
  absl::Status status = MigrateUp(*options, config.shards(), command.dry_run, clock, print);
  if (status.ok() && !command.dry_run) {
    status = PlaceViews(*options, ToViewNames(config), clock);
  }
  return Finish(status);
}

}  // namespace presence
