#ifndef PRESENCE_CONFIGURATION_CHECKS_H_
#define PRESENCE_CONFIGURATION_CHECKS_H_

#include "configuration/faults.h"
#include "configuration/loader.h"
#include "presence/v1/core_config.pb.h"
#include "presence/v1/gateway_config.pb.h"

namespace presence {

// What no single key can tell: values that contradict each other, and what developer mode changes.
// Each value has been checked by itself. Faults name the keys, their values and their origins.

// In dev mode sets policy.unknown_watcher to allow unless something else has set it.
void CheckCoreConfig(bool is_to_serve, LoadedConfig<presence::v1::CoreConfig>& loaded,
                     ConfigFaults& faults);
void CheckGatewayConfig(bool is_to_serve, LoadedConfig<presence::v1::GatewayConfig>& loaded,
                        ConfigFaults& faults);

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_CHECKS_H_
