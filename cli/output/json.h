#ifndef PRESENCE_CLI_OUTPUT_JSON_H_
#define PRESENCE_CLI_OUTPUT_JSON_H_

#include <string>

#include <google/protobuf/message.h>

namespace presence::cli {

enum class JsonLayout { kPretty, kOneLine };

// `message` in protobuf's JSON, fields with default values included so that scripts find them,
// ending in a line end. Documents that are UTF-8 show their body as `text`, not as base64.
std::string ToJson(const google::protobuf::Message& message, JsonLayout layout);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_OUTPUT_JSON_H_
