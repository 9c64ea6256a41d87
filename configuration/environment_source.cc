#include "configuration/environment_source.h"

#include <unistd.h>

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "configuration/nearest.h"

namespace presence {
namespace {

constexpr absl::string_view kEvent = "<EVENT>";

// "dialog;sla" -> "DIALOG_SLA".
std::string InEnvironment(absl::string_view event) {
  std::string name(event);
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    c = absl::ascii_isalnum(byte) ? absl::ascii_toupper(byte) : '_';
  }
  return name;
}

std::string EventNamed(absl::string_view name, absl::Span<const std::string> events) {
  for (const std::string& event : events) {
    if (InEnvironment(event) == name) return event;
    std::string winfo = absl::StrCat(event, ".winfo");
    if (InEnvironment(winfo) == name) return winfo;
  }
  return absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", "-"}});
}

// The key that a variable names, with the event package in it.
std::optional<std::string> KeyNamed(absl::string_view variable,
                                    absl::Span<const std::string> events,
                                    const ConfigSchema& schema) {
  for (const ConfigKey& key : schema.keys()) {
    const std::string name = schema.EnvironmentName(key);
    if (!key.is_per_package()) {
      if (name == variable) return key.name;
      continue;
    }
    const std::pair<absl::string_view, absl::string_view> around =
        absl::StrSplit(name, absl::MaxSplits(kEvent, 1));
    absl::string_view event = variable;
    if (absl::ConsumePrefix(&event, around.first) && absl::ConsumeSuffix(&event, around.second) &&
        !event.empty()) {
      return ConfigTarget{&key, EventNamed(event, events)}.Name();
    }
  }
  return std::nullopt;
}

std::string Hint(absl::string_view variable, const ConfigSchema& schema) {
  NearestName nearest(variable);
  for (const ConfigKey& key : schema.keys()) nearest.Offer(schema.EnvironmentName(key));
  return nearest.best().empty() ? "" : absl::StrCat("; did you mean ", nearest.best(), "?");
}

}  // namespace

EnvironmentVariables ProcessEnvironment() {
  EnvironmentVariables variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    variables.push_back(absl::StrSplit(*entry, absl::MaxSplits('=', 1)));
  }
  return variables;
}

std::vector<ConfigAssignment> ReadEnvironment(const EnvironmentVariables& environment,
                                              absl::Span<const std::string> events,
                                              const ConfigSchema& schema, ConfigFaults& faults) {
  std::vector<ConfigAssignment> assignments;
  for (const auto& [variable, value] : environment) {
    if (!absl::StartsWith(variable, schema.environment_prefix())) continue;
    const std::optional<std::string> key = KeyNamed(variable, events, schema);
    if (!key) {
      faults.Add(variable, absl::StrCat("no key has this variable", Hint(variable, schema)));
      continue;
    }
    assignments.push_back(
        {.key = *key, .values = {value}, .origin = {ConfigOrigin::Source::kEnvironment, variable}});
  }
  return assignments;
}

}  // namespace presence
