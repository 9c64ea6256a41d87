#include "configuration/schema.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "configuration/nearest.h"
#include "presence/v1/core_config.pb.h"
#include "presence/v1/gateway_config.pb.h"

namespace presence {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr absl::string_view kEvent = "<event>";

bool IsLeaf(const FieldDescriptor& field) { return field.options().HasExtension(v1::setting); }

// The part of a key's name that follows its last dot.
absl::string_view LastPart(absl::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == absl::string_view::npos ? name : name.substr(dot + 1);
}

// What comes before and after the event package in the name of a key per package.
std::pair<absl::string_view, absl::string_view> AroundEvent(const ConfigKey& key) {
  return absl::StrSplit(key.name, absl::MaxSplits(kEvent, 1));
}

// The name of `key`, for the event package that `written` is about where both are per package.
std::string NameForPackageOf(const ConfigKey& key, absl::string_view written) {
  const auto [before, after] = AroundEvent(key);
  const size_t dot = written.rfind('.');
  if (!key.is_per_package() || !absl::StartsWith(written, before) || dot <= before.size()) {
    return key.name;
  }
  return absl::StrCat(before, written.substr(before.size(), dot - before.size()), after);
}

}  // namespace

bool ConfigKey::is_per_package() const {
  for (const FieldDescriptor* step : path) {
    if (step->is_map()) return true;
  }
  return false;
}

std::string ConfigTarget::Name() const { return absl::StrReplaceAll(key->name, {{kEvent, event}}); }

ConfigSchema::ConfigSchema(const Descriptor& root, std::string program,
                           std::string environment_prefix)
    : root_(root),
      program_(std::move(program)),
      environment_prefix_(std::move(environment_prefix)) {
  std::vector<const FieldDescriptor*> path;
  Collect(root, "", path);
}

void ConfigSchema::Collect(const Descriptor& message, const std::string& prefix,
                           std::vector<const FieldDescriptor*>& path) {
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    std::string name = absl::StrCat(prefix, field.name());
    path.push_back(&field);
    if (IsLeaf(field)) {
      keys_.push_back({std::move(name), path, field.options().GetExtension(v1::setting)});
    } else if (field.is_map()) {
      Collect(*field.message_type()->map_value()->message_type(),
              absl::StrCat(name, ".", kEvent, "."), path);
    } else {
      Collect(*field.message_type(), absl::StrCat(name, "."), path);
    }
    path.pop_back();
  }
}

std::optional<ConfigTarget> ConfigSchema::Find(absl::string_view name) const {
  for (const ConfigKey& key : keys_) {
    if (!key.is_per_package()) {
      if (key.name == name) return ConfigTarget{&key, ""};
      continue;
    }
    // An event package may have dots in its name ("presence.winfo"), the key after it has none.
    const auto [before, after] = AroundEvent(key);
    absl::string_view event = name;
    if (absl::ConsumePrefix(&event, before) && absl::ConsumeSuffix(&event, after) &&
        !event.empty()) {
      return ConfigTarget{&key, std::string(event)};
    }
  }
  return std::nullopt;
}

bool ConfigSchema::IsSection(absl::string_view name) const {
  for (const ConfigKey& key : keys_) {
    if (absl::StartsWith(key.name, absl::StrCat(name, "."))) return true;
    absl::string_view package = name;
    if (key.is_per_package() && absl::ConsumePrefix(&package, AroundEvent(key).first) &&
        !package.empty()) {
      return true;
    }
  }
  return false;
}

std::string ConfigSchema::Hint(absl::string_view unknown) const {
  NearestName nearest(unknown);
  absl::string_view same_end;
  for (const ConfigKey& key : keys_) {
    for (absl::string_view parameter : absl::StrSplit(key.setting.replaces(), ", ")) {
      if (!parameter.empty() && parameter == unknown && !key.is_per_package()) {
        return absl::StrCat("; the module's ", parameter, " is \"", key.name, "\" here");
      }
    }
    if (absl::StartsWith(key.name, absl::StrCat(unknown, "."))) {
      return absl::StrCat("; it is a section, with keys such as \"", key.name, "\"");
    }
    nearest.Offer(NameForPackageOf(key, unknown));
    if (same_end.empty() && LastPart(key.name) == LastPart(unknown)) same_end = key.name;
  }
  const absl::string_view best =
      nearest.best().empty() ? same_end : absl::string_view(nearest.best());
  return best.empty() ? "" : absl::StrCat("; did you mean \"", best, "\"?");
}

std::string ConfigSchema::EnvironmentName(const ConfigKey& key) const {
  const std::string dotless = absl::StrReplaceAll(key.name, {{".", "_"}});
  return absl::StrCat(environment_prefix_, absl::AsciiStrToUpper(dotless));
}

const ConfigSchema& CoreConfigSchema() {
  static const auto* const kSchema =
      new ConfigSchema(*v1::CoreConfig::descriptor(), "presence-core", "PRESENCE_CORE_");
  return *kSchema;
}

const ConfigSchema& GatewayConfigSchema() {
  static const auto* const kSchema =
      new ConfigSchema(*v1::GatewayConfig::descriptor(), "sip-gateway", "PRESENCE_GATEWAY_");
  return *kSchema;
}

}  // namespace presence
