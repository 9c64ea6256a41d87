#ifndef PRESENCE_CORE_SERVER_MIGRATE_H_
#define PRESENCE_CORE_SERVER_MIGRATE_H_

#include "presence/v1/core_config.pb.h"

namespace presence {

// `presence-core migrate up|status|down`.
struct MigrateCommand {
  enum class Verb { kUp, kStatus, kDown };
  Verb verb = Verb::kStatus;
  int to = 0;  // kDown
  bool dry_run = false;
};

// Prints what it does, and what is wrong. The exit code of the program: 0; 1 the database could not
// be reached or is not as it should be; 8 the configuration is wrong.
int Migrate(const v1::StorageConfig& config, const MigrateCommand& command);

}  // namespace presence

#endif  // PRESENCE_CORE_SERVER_MIGRATE_H_
