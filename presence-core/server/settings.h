#ifndef PRESENCE_CORE_SERVER_SETTINGS_H_
#define PRESENCE_CORE_SERVER_SETTINGS_H_

#include "absl/status/statusor.h"
#include "presence-core/engine/engine_config.h"
#include "presence-core/event/registry.h"
#include "presence-core/packages/builtin_packages.h"
#include "presence-core/policy/policy_snapshot.h"
#include "presence/v1/core_config.pb.h"

namespace presence {

// From core_config.proto, which has been checked, to what the rooms of the core take.
PackageOptions ToPackageOptions(const v1::CoreConfig& config);
// Errors: InvalidArgument   lifetimes that contradict what an event package says, one line each.
absl::StatusOr<EngineConfig> ToEngineConfig(const v1::CoreConfig& config,
                                            const EventRegistry& registry);
PolicySnapshot::Defaults ToPolicyDefaults(const v1::CoreConfig& config,
                                          const EventRegistry& registry);

}  // namespace presence

#endif  // PRESENCE_CORE_SERVER_SETTINGS_H_
