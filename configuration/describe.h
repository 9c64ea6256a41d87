#ifndef PRESENCE_CONFIGURATION_DESCRIBE_H_
#define PRESENCE_CONFIGURATION_DESCRIBE_H_

#include <string>

#include "configuration/schema.h"

namespace presence {

// The default of a key for people: its value, or what holds while it is not set.
std::string DefaultText(const ConfigKey& key);

// Every key with its default, what is allowed and its help: what --help-all prints.
std::string HelpSection(const ConfigSchema& schema);

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_DESCRIBE_H_
