#include "cli/output/json.h"

#include <memory>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver.h>
#include <google/protobuf/util/type_resolver_util.h>

#include "absl/strings/str_cat.h"
#include "cli/output/printable.h"
#include "presence/v1/types.pb.h"

namespace presence::cli {
namespace {

constexpr char kTypes[] = "type.googleapis.com";

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Shows every document under `message` as text where it can be; binary ones keep their base64 body.
void ShowBodiesAsText(Message& message) {
  if (message.GetDescriptor() == v1::Document::descriptor()) {
    auto& document = static_cast<v1::Document&>(message);
    if (document.text().empty() && IsUtf8(document.body())) document.set_text(document.body());
    if (!document.text().empty()) document.clear_body();
    return;
  }
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    if (!field->is_repeated()) {
      ShowBodiesAsText(*message.GetReflection()->MutableMessage(&message, field));
      continue;
    }
    const int size = message.GetReflection()->FieldSize(message, field);
    for (int i = 0; i < size; ++i) {
      ShowBodiesAsText(*message.GetReflection()->MutableRepeatedMessage(&message, field, i));
    }
  }
}

}  // namespace

std::string ToJson(const Message& message, JsonLayout layout) {
  const std::unique_ptr<Message> shown(message.New());
  shown->CopyFrom(message);
  ShowBodiesAsText(*shown);
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.add_whitespace = layout == JsonLayout::kPretty;
  // The entries of a map come in the order of their keys, every time.
  std::string wire;
  {
    google::protobuf::io::StringOutputStream stream(&wire);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    shown->SerializeToCodedStream(&coded);
  }
  const std::unique_ptr<google::protobuf::util::TypeResolver> types(
      google::protobuf::util::NewTypeResolverForDescriptorPool(
          kTypes, google::protobuf::DescriptorPool::generated_pool()));
  const std::string type = absl::StrCat(kTypes, "/", message.GetDescriptor()->full_name());
  std::string json;
  // Fails only on malformed well-known types; then the empty object is still valid JSON.
  if (!google::protobuf::util::BinaryToJsonString(types.get(), type, wire, &json, options).ok()) {
    json = "{}";
  }
  if (json.empty() || json.back() != '\n') json += '\n';
  return json;
}

}  // namespace presence::cli
