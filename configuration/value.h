#ifndef PRESENCE_CONFIGURATION_VALUE_H_
#define PRESENCE_CONFIGURATION_VALUE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "configuration/schema.h"
#include "google/protobuf/message.h"

namespace presence {

// Cuts "a,b" into the values of a list; white space around them goes, and "" is the empty list.
std::vector<std::string> SplitList(absl::string_view text);

// Writes the value of `target` into `config`, a message of the target's schema, in place of what it
// had: one value, or any number for a list. An empty text takes the value away from a key that may
// be without one. After an error no value has changed.
// Errors: InvalidArgument, saying what is wrong with the value and what is allowed.
absl::Status SetConfigValue(const ConfigTarget& target, absl::Span<const std::string> values,
                            google::protobuf::Message& config);

// The value as SetConfigValue would take it; none for a key without a value.
std::optional<std::vector<std::string>> GetConfigValue(const ConfigTarget& target,
                                                       const google::protobuf::Message& config);

// What may be written, for people: "1s to 30d", "reject or raise", "HOST:PORT, ...".
std::string AllowedText(const ConfigKey& key);

// The names of the values of an enum key that are served, in the order of the config protos.
std::vector<std::string> ChoiceNames(const ConfigKey& key);
std::string ChoiceName(const google::protobuf::EnumValueDescriptor& value);

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_VALUE_H_
