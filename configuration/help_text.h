#ifndef PRESENCE_CONFIGURATION_HELP_TEXT_H_
#define PRESENCE_CONFIGURATION_HELP_TEXT_H_

#include <string>

#include "google/protobuf/descriptor.h"

namespace presence {

// The comments of the config protos, which are the help that people read: one text for the source,
// for
// --help, for the sample files and for the documentation. They are built into the program from the
// same file as the messages, because generated code does not keep them.

// What stands above a field, as one paragraph.
std::string CommentOf(const google::protobuf::FieldDescriptor& field);

// What stands above a value of an enum.
std::string CommentOf(const google::protobuf::EnumValueDescriptor& value);

// Its first sentence.
std::string FirstSentence(const std::string& comment);

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_HELP_TEXT_H_
