#ifndef PRESENCE_CONFIGURATION_REFERENCE_H_
#define PRESENCE_CONFIGURATION_REFERENCE_H_

#include <string>

namespace presence {

// docs/operations/configuration.md: every key of every program, in Markdown.
std::string ConfigurationReference();

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_REFERENCE_H_
