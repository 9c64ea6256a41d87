#include "configuration/value.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <type_traits>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "configuration/durations.h"
#include "configuration/format.h"
#include "configuration/nearest.h"
#include "configuration/units.h"
#include "google/protobuf/duration.pb.h"

namespace presence {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool IsDuration(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}

absl::StatusOr<uint64_t> ParseNumber(const ConfigKey& key, absl::string_view text) {
  if (key.setting.bytes()) return ParseSize(text);
  uint64_t number = 0;
  if (text.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(text[0])) ||
      !absl::SimpleAtoi(text, &number)) {
    return absl::InvalidArgumentError("not a whole number");
  }
  return number;
}

absl::StatusOr<bool> ParseBool(absl::string_view text) {
  if (text == "true" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "no" || text == "off") return false;
  return absl::InvalidArgumentError("neither true nor false");
}

absl::StatusOr<const EnumValueDescriptor*> ParseChoice(const ConfigKey& key,
                                                       absl::string_view text) {
  const EnumDescriptor& type = *key.field().enum_type();
  NearestName nearest(text);
  for (int i = 0; i < type.value_count(); ++i) {
    const EnumValueDescriptor& value = *type.value(i);
    if (value.number() == 0) continue;
    const std::string name = ChoiceName(value);
    // "write-back" and "write_back" differ in nothing that anybody could mean.
    if (absl::StrReplaceAll(name, {{"-", "_"}}) != absl::StrReplaceAll(text, {{"-", "_"}})) {
      nearest.Offer(name);
      continue;
    }
    return &value;
  }
  return absl::InvalidArgumentError(
      nearest.best().empty() ? "no such choice"
                             : absl::StrCat("no such choice; did you mean ", nearest.best(), "?"));
}

// `parse` makes comparable values of the texts of the bounds, which are those of the config protos.
template <typename T, typename Parse>
absl::Status CheckRange(const ConfigKey& key, const T& value, Parse parse) {
  const std::string& min = key.setting.min();
  const std::string& max = key.setting.max();
  if ((!min.empty() && value < *parse(min)) || (!max.empty() && value > *parse(max))) {
    return absl::InvalidArgumentError("out of range");
  }
  return absl::OkStatus();
}

absl::Status SetDuration(const ConfigKey& key, absl::string_view text, Message& parent) {
  const absl::StatusOr<absl::Duration> value = ParseDuration(text);
  if (!value.ok()) return value.status();
  if (absl::Status in_range = CheckRange(key, *value, ParseDuration); !in_range.ok()) {
    return in_range;
  }
  if (key.setting.whole_seconds() && *value % absl::Seconds(1) != absl::ZeroDuration()) {
    return absl::InvalidArgumentError("not a whole number of seconds");
  }
  Message* stored = parent.GetReflection()->MutableMessage(&parent, &key.field());
  stored->CopyFrom(DurationProto(*value));
  return absl::OkStatus();
}

absl::Status SetNumber(const ConfigKey& key, absl::string_view text, Message& parent) {
  const auto parse = [&key](absl::string_view t) { return ParseNumber(key, t); };
  const absl::StatusOr<uint64_t> value = parse(text);
  if (!value.ok()) return value.status();
  if (absl::Status in_range = CheckRange(key, *value, parse); !in_range.ok()) return in_range;
  const Reflection& reflection = *parent.GetReflection();
  if (key.field().cpp_type() == FieldDescriptor::CPPTYPE_UINT64) {
    reflection.SetUInt64(&parent, &key.field(), *value);
  } else {
    // Every number has a range in the config protos that its type holds (a test reads them all).
    reflection.SetUInt32(&parent, &key.field(), static_cast<uint32_t>(*value));
  }
  return absl::OkStatus();
}

absl::Status SetOne(const ConfigKey& key, const std::string& text, Message& parent) {
  const Reflection& reflection = *parent.GetReflection();
  const FieldDescriptor& field = key.field();
  if (IsDuration(field)) return SetDuration(key, text, parent);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL: {
      const absl::StatusOr<bool> value = ParseBool(text);
      if (value.ok()) reflection.SetBool(&parent, &field, *value);
      return value.status();
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const absl::StatusOr<const EnumValueDescriptor*> value = ParseChoice(key, text);
      if (value.ok()) reflection.SetEnum(&parent, &field, *value);
      return value.status();
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      absl::Status form = CheckFormat(key.setting.format(), text);
      if (form.ok()) reflection.SetString(&parent, &field, text);
      return form;
    }
    default:
      return SetNumber(key, text, parent);
  }
}

absl::Status SetList(const ConfigKey& key, absl::Span<const std::string> values, Message& parent) {
  std::set<absl::string_view> seen;
  for (const std::string& value : values) {
    if (absl::Status form = CheckFormat(key.setting.format(), value); !form.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("\"", value, "\" is ", form.message()));
    }
    if (!seen.insert(value).second) {
      return absl::InvalidArgumentError(absl::StrCat("\"", value, "\" is there twice"));
    }
  }
  const Reflection& reflection = *parent.GetReflection();
  reflection.ClearField(&parent, &key.field());
  for (const std::string& value : values) reflection.AddString(&parent, &key.field(), value);
  return absl::OkStatus();
}

// Which entry of a map field is for this event package; none when there is none.
std::optional<int> FindEntry(const Message& parent, const FieldDescriptor& map,
                             const std::string& event) {
  const FieldDescriptor* name = map.message_type()->map_key();
  const Reflection& reflection = *parent.GetReflection();
  for (int i = 0; i < reflection.FieldSize(parent, &map); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(parent, &map, i);
    if (entry.GetReflection()->GetString(entry, name) == event) return i;
  }
  return std::nullopt;
}

// The value of a map field for this event package; made where it is not there yet.
Message& MutableEntry(Message& parent, const FieldDescriptor& map, const std::string& event) {
  const Reflection& reflection = *parent.GetReflection();
  Message* entry = nullptr;
  if (const std::optional<int> found = FindEntry(parent, map, event)) {
    entry = reflection.MutableRepeatedMessage(&parent, &map, *found);
  } else {
    entry = reflection.AddMessage(&parent, &map);
    entry->GetReflection()->SetString(entry, map.message_type()->map_key(), event);
  }
  return *entry->GetReflection()->MutableMessage(entry, map.message_type()->map_value());
}

// The message that has the leaf as a field; made where it is not there yet.
Message& MutableParent(const ConfigTarget& target, Message& config) {
  Message* message = &config;
  for (const FieldDescriptor* step : target.key->path) {
    if (step == &target.key->field()) break;
    message = step->is_map() ? &MutableEntry(*message, *step, target.event)
                             : message->GetReflection()->MutableMessage(message, step);
  }
  return *message;
}

// The message that has the leaf as a field; null where a map has no such entry.
const Message* Parent(const ConfigTarget& target, const Message& config) {
  const Message* message = &config;
  for (const FieldDescriptor* step : target.key->path) {
    if (step == &target.key->field()) break;
    if (step->is_map()) {
      const std::optional<int> entry = FindEntry(*message, *step, target.event);
      if (!entry) return nullptr;
      message = &message->GetReflection()->GetRepeatedMessage(*message, step, *entry);
      step = step->message_type()->map_value();
    }
    message = &message->GetReflection()->GetMessage(*message, step);
  }
  return message;
}

std::string PrintOne(const ConfigKey& key, const Message& parent) {
  const Reflection& reflection = *parent.GetReflection();
  const FieldDescriptor& field = key.field();
  if (IsDuration(field)) {
    google::protobuf::Duration duration;
    duration.CopyFrom(reflection.GetMessage(parent, &field));
    return PrintDuration(ToDuration(duration));
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(parent, &field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return ChoiceName(*reflection.GetEnum(parent, &field));
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.GetString(parent, &field);
    case FieldDescriptor::CPPTYPE_UINT64: {
      const uint64_t number = reflection.GetUInt64(parent, &field);
      return key.setting.bytes() ? PrintSize(number) : absl::StrCat(number);
    }
    default:
      return absl::StrCat(reflection.GetUInt32(parent, &field));
  }
}

// Whether a single value is there. Numbers and booleans always are: their keys all have defaults.
bool HasValue(const Message& parent, const FieldDescriptor& field) {
  const Reflection& reflection = *parent.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return reflection.HasField(parent, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.GetEnumValue(parent, &field) != 0;
    case FieldDescriptor::CPPTYPE_STRING:
      return !reflection.GetString(parent, &field).empty();
    default:
      return true;
  }
}

}  // namespace

std::vector<std::string> SplitList(absl::string_view text) {
  std::vector<std::string> values;
  if (absl::StripAsciiWhitespace(text).empty()) return values;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    values.emplace_back(absl::StripAsciiWhitespace(part));
  }
  return values;
}

absl::Status SetConfigValue(const ConfigTarget& target, absl::Span<const std::string> values,
                            Message& config) {
  const ConfigKey& key = *target.key;
  Message& parent = MutableParent(target, config);
  if (key.is_list()) return SetList(key, values, parent);
  if (values.size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(values.size(), " values where one is wanted"));
  }
  if (values[0].empty() && key.setting.default_value().empty()) {
    parent.GetReflection()->ClearField(&parent, &key.field());
    return absl::OkStatus();
  }
  return SetOne(key, values[0], parent);
}

std::optional<std::vector<std::string>> GetConfigValue(const ConfigTarget& target,
                                                       const Message& config) {
  const FieldDescriptor& field = target.key->field();
  const Message* parent = Parent(target, config);
  if (parent == nullptr) return std::nullopt;
  if (!target.key->is_list()) {
    if (!HasValue(*parent, field)) return std::nullopt;
    return std::vector<std::string>{PrintOne(*target.key, *parent)};
  }
  std::vector<std::string> values;
  for (int i = 0; i < parent->GetReflection()->FieldSize(*parent, &field); ++i) {
    values.push_back(parent->GetReflection()->GetRepeatedString(*parent, &field, i));
  }
  if (values.empty() && target.key->setting.default_value().empty()) return std::nullopt;
  return values;
}

std::string ChoiceName(const EnumValueDescriptor& value) {
  const std::string& given = value.options().GetExtension(v1::choice).name();
  if (!given.empty()) return given;
  // ON_NOTIFY_TIMEOUT_REMOVE of OnNotifyTimeout: the prefix is the type's name, as the first value,
  // ..._UNSPECIFIED, shows it.
  absl::string_view prefix = value.type()->value(0)->name();
  absl::ConsumeSuffix(&prefix, "UNSPECIFIED");
  return absl::AsciiStrToLower(absl::StripPrefix(value.name(), prefix));
}

std::vector<std::string> ChoiceNames(const ConfigKey& key) {
  std::vector<std::string> names;
  const EnumDescriptor& type = *key.field().enum_type();
  for (int i = 0; i < type.value_count(); ++i) {
    const EnumValueDescriptor& value = *type.value(i);
    if (value.number() != 0) names.push_back(ChoiceName(value));
  }
  return names;
}

std::string AllowedText(const ConfigKey& key) {
  switch (key.field().cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrJoin(ChoiceNames(key), " | ");
    case FieldDescriptor::CPPTYPE_STRING: {
      const absl::string_view form = FormatText(key.setting.format());
      return key.is_list() ? absl::StrCat("a list; each ", form) : std::string(form);
    }
    default:
      return absl::StrCat(key.setting.min(), " to ", key.setting.max(),
                          key.setting.whole_seconds() ? " in whole seconds" : "");
  }
}

}  // namespace presence
