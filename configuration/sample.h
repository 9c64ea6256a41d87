#ifndef PRESENCE_CONFIGURATION_SAMPLE_H_
#define PRESENCE_CONFIGURATION_SAMPLE_H_

#include <string>

#include "configuration/schema.h"

namespace presence {

enum class SampleValues {
  kCommentedOut,  // a file that changes nothing until somebody takes a "#" away
  kSet,           // every key set to its default, or where it has none to its example
};

// A YAML file with every key of the program, each under its help.
std::string SampleYaml(const ConfigSchema& schema, SampleValues values);

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_SAMPLE_H_
