#include "configuration/help_text.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "configuration/config_source.h"
#include "google/protobuf/descriptor.pb.h"

namespace presence {
namespace {

using google::protobuf::FileDescriptorProto;
// A place in a file: numbers as descriptor.proto defines them.
using Path = std::vector<int>;
using Place = std::pair<std::string, Path>;

std::map<Place, std::string> ReadComments() {
  google::protobuf::FileDescriptorSet files;
  files.ParseFromArray(kConfigSource, static_cast<int>(kConfigSourceSize));
  std::map<Place, std::string> comments;
  for (const FileDescriptorProto& file : files.file()) {
    for (const auto& location : file.source_code_info().location()) {
      if (!location.has_leading_comments()) continue;
      std::vector<std::string> lines =
          absl::StrSplit(absl::StripAsciiWhitespace(location.leading_comments()), '\n');
      for (std::string& line : lines) absl::StripAsciiWhitespace(&line);
      comments.emplace(Place(file.name(), Path(location.path().begin(), location.path().end())),
                       absl::StrJoin(lines, " "));
    }
  }
  return comments;
}

std::string CommentAt(const google::protobuf::FileDescriptor& file, Path path) {
  static const auto* const kComments = new std::map<Place, std::string>(ReadComments());
  const auto comment = kComments->find(Place(file.name(), std::move(path)));
  return comment == kComments->end() ? "" : comment->second;
}

}  // namespace

// Paths are those of descriptor.proto: field numbers of the messages that describe a file, and
// indexes. All messages and enums of a configuration are at the top level of their file.
std::string CommentOf(const google::protobuf::FieldDescriptor& field) {
  return CommentAt(*field.file(),
                   {FileDescriptorProto::kMessageTypeFieldNumber, field.containing_type()->index(),
                    google::protobuf::DescriptorProto::kFieldFieldNumber, field.index()});
}

std::string CommentOf(const google::protobuf::EnumValueDescriptor& value) {
  return CommentAt(*value.type()->file(),
                   {FileDescriptorProto::kEnumTypeFieldNumber, value.type()->index(),
                    google::protobuf::EnumDescriptorProto::kValueFieldNumber, value.index()});
}

std::string FirstSentence(const std::string& comment) {
  const size_t end = comment.find(". ");
  return end == std::string::npos ? comment : comment.substr(0, end + 1);
}

}  // namespace presence
