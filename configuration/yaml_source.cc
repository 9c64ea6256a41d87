#include "configuration/yaml_source.h"

#include <yaml-cpp/yaml.h>

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

namespace presence {
namespace {

// Deeper than any section; a file that nests deeper is refused before it costs stack.
constexpr int kMaxDepth = 8;

class YamlReader {
 public:
  YamlReader(std::string file_name, const ConfigSchema& schema, ConfigFaults& faults)
      : file_name_(std::move(file_name)), schema_(schema), faults_(faults) {}

  void ReadSection(const YAML::Node& section, const std::string& prefix, int depth) {
    if (depth > kMaxDepth) return Fault(section.Mark(), "nested too deep");
    for (const auto& entry : section) {
      if (!entry.first.IsScalar() || entry.first.Scalar().empty()) {
        Fault(entry.first.Mark(), "a key must be a name");
        continue;
      }
      ReadEntry(absl::StrCat(prefix, entry.first.Scalar()), entry.first.Mark(), entry.second,
                depth);
    }
  }

  void Fault(const YAML::Mark& mark, absl::string_view what) { faults_.Add(Where(mark), what); }

  std::vector<ConfigAssignment> TakeAssignments() { return std::move(assignments_); }

 private:
  // yaml-cpp counts from 0, people and editors from 1.
  std::string Where(const YAML::Mark& mark) const {
    if (mark.is_null()) return file_name_;
    return absl::StrCat(file_name_, ":", mark.line + 1, ":", mark.column + 1);
  }

  void ReadEntry(const std::string& key, const YAML::Mark& mark, const YAML::Node& value,
                 int depth) {
    const bool is_key = schema_.Find(key).has_value();
    if (value.IsMap() && !is_key && schema_.IsSection(key)) {
      return ReadSection(value, absl::StrCat(key, "."), depth + 1);
    }
    // A section all of whose keys are commented out.
    if (value.IsNull() && !is_key && schema_.IsSection(key)) return;
    if (!is_key) {
      return Fault(mark, absl::StrCat("unknown key \"", key, "\"", schema_.Hint(key)));
    }
    if (const auto [first, is_new] = first_marks_.emplace(key, mark); !is_new) {
      return Fault(mark, absl::StrCat(key, " is set twice; first at ", Where(first->second)));
    }
    ReadValue(key, value);
  }

  void ReadValue(const std::string& key, const YAML::Node& value) {
    ConfigAssignment assignment{.key = key,
                                .origin = {ConfigOrigin::Source::kFile, Where(value.Mark())}};
    if (value.IsScalar()) {
      assignment.values.push_back(value.Scalar());
    } else if (value.IsSequence()) {
      assignment.is_list = true;
      for (const YAML::Node& item : value) {
        if (!item.IsScalar()) {
          return Fault(item.Mark(), absl::StrCat(key, " takes a list of plain values"));
        }
        assignment.values.push_back(item.Scalar());
      }
    } else {
      return Fault(
          value.Mark(),
          absl::StrCat(key, value.IsNull() ? " has no value" : " takes a value, not a section"));
    }
    assignments_.push_back(std::move(assignment));
  }

  const std::string file_name_;
  const ConfigSchema& schema_;
  ConfigFaults& faults_;
  std::vector<ConfigAssignment> assignments_;
  std::map<std::string, YAML::Mark> first_marks_;
};

}  // namespace

std::vector<ConfigAssignment> ReadYaml(absl::string_view text, const std::string& file_name,
                                       const ConfigSchema& schema, ConfigFaults& faults) {
  YamlReader reader(file_name, schema, faults);
  // yaml-cpp speaks in exceptions; they end here.
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) {
      reader.Fault(documents[1].Mark(), "a second document; a configuration is one");
    } else if (documents.size() == 1 && documents[0].IsMap()) {
      reader.ReadSection(documents[0], "", 0);
    } else if (documents.size() == 1 && !documents[0].IsNull()) {
      reader.Fault(documents[0].Mark(), "not a configuration: expected keys and values");
    }
  } catch (const YAML::Exception& error) {
    reader.Fault(error.mark, absl::StrCat("not YAML: ", error.msg));
  }
  return reader.TakeAssignments();
}

}  // namespace presence
