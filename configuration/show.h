#ifndef PRESENCE_CONFIGURATION_SHOW_H_
#define PRESENCE_CONFIGURATION_SHOW_H_

#include <string>

#include "configuration/origin.h"
#include "configuration/schema.h"
#include "google/protobuf/message.h"

namespace presence {

// The values in force, one "key: value" a line in the order of the config protos, which is a YAML
// file that sets them again. With `with_origin` each line says where its value comes from. Secrets
// are masked; keys without a value are left out.
std::string ShowConfig(const ConfigSchema& schema, const google::protobuf::Message& config,
                       const ConfigOrigins& origins, bool with_origin);

// The value of one key as YAML, masked where it is a secret; the key must have a value.
std::string ShownValue(const ConfigTarget& target, const google::protobuf::Message& config);

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_SHOW_H_
