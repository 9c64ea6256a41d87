#ifndef PRESENCE_CONFIGURATION_LOADER_H_
#define PRESENCE_CONFIGURATION_LOADER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "configuration/environment_source.h"
#include "configuration/origin.h"
#include "presence/v1/core_config.pb.h"
#include "presence/v1/gateway_config.pb.h"

namespace presence {

// Where a configuration is read from. Later members win over earlier ones, and all over defaults.
struct ConfigSources {
  std::string file;  // a YAML file; empty: none
  EnvironmentVariables environment;
  std::vector<ConfigAssignment> flags;
  // Event packages that exist, without their winfo, so that a misspelled one is refused. Empty:
  // any name passes but that of a winfo, which takes what its package has.
  std::vector<std::string> events;
  // Whether the program will serve; a command that looks after its database needs no domains.
  bool is_to_serve = true;
};

// A configuration, and where each of its values comes from.
template <typename Message>
struct LoadedConfig {
  Message config;
  ConfigOrigins origins;
};

// Reads the configuration of a program. What is returned has passed every check that can be made
// without opening a socket or a file.
// Errors: InvalidArgument   one line for each fault: where, which key, which value, what is allowed
absl::StatusOr<LoadedConfig<presence::v1::CoreConfig>> LoadCoreConfig(const ConfigSources& sources);
absl::StatusOr<LoadedConfig<presence::v1::GatewayConfig>> LoadGatewayConfig(
    const ConfigSources& sources);

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_LOADER_H_
