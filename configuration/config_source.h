#ifndef PRESENCE_CONFIGURATION_CONFIG_SOURCE_H_
#define PRESENCE_CONFIGURATION_CONFIG_SOURCE_H_

#include <cstddef>

namespace presence {

// The protos of the configuration with their comments, as a serialized
// google.protobuf.FileDescriptorSet. The definition is written by the build
// (embed_descriptors.cmake).
extern const unsigned char kConfigSource[];
extern const size_t kConfigSourceSize;

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_CONFIG_SOURCE_H_
