#ifndef PRESENCE_CONFIGURATION_ENVIRONMENT_SOURCE_H_
#define PRESENCE_CONFIGURATION_ENVIRONMENT_SOURCE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "configuration/faults.h"
#include "configuration/origin.h"
#include "configuration/schema.h"

namespace presence {

// Name and value of environment variables.
using EnvironmentVariables = std::vector<std::pair<std::string, std::string>>;

// The environment of this process.
EnvironmentVariables ProcessEnvironment();

// Reads what environment variables set: PRESENCE_CORE_PUBLISH_MAX_EXPIRES is publish.max_expires.
// Variables without the schema's prefix are none of ours; one with the prefix that names no key
// goes to `faults`.
//
// For a key per event package the package's name stands in capitals with "_" for everything that is
// no letter and no digit: PRESENCE_CORE_POLICY_PACKAGES_MESSAGE_SUMMARY_UNKNOWN_WATCHER. Which
// package that is, `events` says; without it "_" is read as "-".
std::vector<ConfigAssignment> ReadEnvironment(const EnvironmentVariables& environment,
                                              absl::Span<const std::string> events,
                                              const ConfigSchema& schema, ConfigFaults& faults);

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_ENVIRONMENT_SOURCE_H_
