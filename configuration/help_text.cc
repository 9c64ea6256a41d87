#include "configuration/help_text.h"

#include <map>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "configuration/config_source.h"
#include "google/protobuf/descriptor.pb.h"

namespace presence {
namespace {

using google::protobuf::FileDescriptorProto;
using Path = std::vector<int>;

std::map<Path, std::string> ReadComments() {
  google::protobuf::FileDescriptorSet files;
  files.ParseFromArray(kConfigSource, static_cast<int>(kConfigSourceSize));
  std::map<Path, std::string> comments;
  for (const FileDescriptorProto& file : files.file()) {
    for (const auto& location : file.source_code_info().location()) {
      if (!location.has_leading_comments()) continue;
      std::vector<std::string> lines =
          absl::StrSplit(absl::StripAsciiWhitespace(location.leading_comments()), '\n');
      for (std::string& line : lines) absl::StripAsciiWhitespace(&line);
      comments.emplace(Path(location.path().begin(), location.path().end()),
                       absl::StrJoin(lines, " "));
    }
  }
  return comments;
}

std::string CommentAt(const Path& path) {
  static const auto* const kComments = new std::map<Path, std::string>(ReadComments());
  const auto comment = kComments->find(path);
  return comment == kComments->end() ? "" : comment->second;
}

}  // namespace

// Paths are those of descriptor.proto: field numbers of the messages that describe a file, and
// indexes. All messages and enums of config.proto are at its top level.
std::string CommentOf(const google::protobuf::FieldDescriptor& field) {
  return CommentAt({FileDescriptorProto::kMessageTypeFieldNumber, field.containing_type()->index(),
                    google::protobuf::DescriptorProto::kFieldFieldNumber, field.index()});
}

std::string CommentOf(const google::protobuf::EnumValueDescriptor& value) {
  return CommentAt({FileDescriptorProto::kEnumTypeFieldNumber, value.type()->index(),
                    google::protobuf::EnumDescriptorProto::kValueFieldNumber, value.index()});
}

std::string FirstSentence(const std::string& comment) {
  const size_t end = comment.find(". ");
  return end == std::string::npos ? comment : comment.substr(0, end + 1);
}

}  // namespace presence
