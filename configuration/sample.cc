#include "configuration/sample.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "configuration/describe.h"
#include "configuration/help_text.h"
#include "configuration/text.h"
#include "configuration/value.h"
#include "configuration/yaml_text.h"

namespace presence {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr size_t kWidth = 100;
constexpr absl::string_view kEvent = "presence";  // the package that per-package samples are about

class SampleWriter {
 public:
  SampleWriter(const ConfigSchema& schema, SampleValues values)
      : schema_(schema), mark_(values == SampleValues::kSet ? "" : "# ") {}

  std::string Write() {
    WriteSection(schema_.root(), "", "", "");
    return std::move(text_);
  }

 private:
  // `mark` stands before lines that set something.
  void WriteSection(const Descriptor& section, const std::string& prefix, const std::string& indent,
                    absl::string_view mark) {
    for (int i = 0; i < section.field_count(); ++i) {
      const FieldDescriptor& field = *section.field(i);
      const std::string name = absl::StrCat(prefix, field.name());
      absl::StrAppend(&text_, "\n");
      if (const auto target = schema_.Find(name)) {
        WriteKey(*target->key, field.name(), indent);
        continue;
      }
      absl::StrAppend(&text_, Wrap(CommentOf(field), indent + "# ", kWidth));
      if (!field.is_map()) {
        absl::StrAppend(&text_, indent, mark, field.name(), ":\n");
        WriteSection(*field.message_type(), name + ".", indent + "  ", mark);
        continue;
      }
      absl::StrAppend(&text_, indent, mark_, field.name(), ":\n");
      absl::StrAppend(&text_, indent, mark_, "  ", kEvent, ":\n");
      WriteSection(*field.message_type()->map_value()->message_type(),
                   absl::StrCat(name, ".", kEvent, "."), indent + std::string(mark_) + "    ",
                   mark_);
    }
  }

  void WriteKey(const ConfigKey& key, const std::string& name, const std::string& indent) {
    // Below a map everything is commented out already, by the indentation; help keeps a "#" of its
    // own, so that an editor can take the first away from the whole block.
    const bool is_marked = indent.find('#') != std::string::npos;
    const std::string comment = indent + "# ";
    absl::StrAppend(&text_, Wrap(CommentOf(key.field()), comment, kWidth));
    absl::StrAppend(&text_, Wrap(absl::StrCat("Default: ", DefaultText(key),
                                              ". Allowed: ", AllowedText(key), "."),
                                 comment, kWidth));
    const std::string& example =
        key.setting.default_value().empty() ? key.setting.example() : key.setting.default_value();
    const std::vector<std::string> values =
        key.is_list() ? SplitList(example) : std::vector<std::string>{example};
    absl::StrAppend(&text_, indent, is_marked ? "" : mark_, name, ": ", YamlValue(key, values),
                    "\n");
  }

  const ConfigSchema& schema_;
  const absl::string_view mark_;
  std::string text_;
};

}  // namespace

std::string SampleYaml(const ConfigSchema& schema, SampleValues values) {
  const std::string intro = absl::StrCat(
      "Configuration of ", schema.program(),
      ": every key, with its default or an example. Take the "
      "\"#\" before a key away to set it. Made from proto/presence/v1/*config.proto, as is "
      "docs/operations/configuration.md.");
  return absl::StrCat(Wrap(intro, "# ", kWidth), SampleWriter(schema, values).Write());
}

}  // namespace presence
