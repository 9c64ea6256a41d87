#include "configuration/loader.h"

#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "configuration/checks.h"
#include "configuration/faults.h"
#include "configuration/nearest.h"
#include "configuration/schema.h"
#include "configuration/value.h"
#include "configuration/yaml_source.h"
#include "google/protobuf/message.h"

namespace presence {
namespace {

using google::protobuf::Message;

// Sets keys one after the other, so that the last to set a key wins, and collects what is wrong.
class Loader {
 public:
  Loader(const ConfigSchema& schema, const std::vector<std::string>& events, Message& config,
         ConfigOrigins& origins, ConfigFaults& faults)
      : schema_(schema), events_(events), config_(config), origins_(origins), faults_(faults) {}

  void SetDefaults() {
    for (const ConfigKey& key : schema_.keys()) {
      if (!key.setting.default_value().empty()) {
        Set({.key = key.name, .values = {key.setting.default_value()}, .origin = {}});
      }
    }
  }

  void Set(const ConfigAssignment& assignment) {
    const std::string& where = assignment.origin.where;
    const std::optional<ConfigTarget> target = schema_.Find(assignment.key);
    if (!target) {
      return faults_.Add(where, absl::StrCat("unknown key \"", assignment.key, "\"",
                                             schema_.Hint(assignment.key)));
    }
    if (absl::EndsWith(target->event, ".winfo")) {
      return faults_.Add(where, absl::StrCat(assignment.key,
                                             ": winfo has no settings of its own; it takes the "
                                             "lifetimes and intervals of its package, and is for "
                                             "the owner only"));
    }
    if (!IsEvent(target->event)) {
      return faults_.Add(where, absl::StrCat(assignment.key, ": no event package \"", target->event,
                                             "\"", EventHint(target->event)));
    }
    if (absl::Status set = SetValue(*target, assignment); !set.ok()) {
      return faults_.Add(where, Fault(*target, assignment, set.message()));
    }
    origins_[assignment.key] = assignment.origin;
    // An empty text has taken the value away.
    if (!GetConfigValue(*target, config_)) origins_.erase(assignment.key);
  }

 private:
  absl::Status SetValue(const ConfigTarget& target, const ConfigAssignment& assignment) {
    if (assignment.values.empty() && !assignment.is_list) {
      return absl::InvalidArgumentError("given without a value");
    }
    if (target.key->is_list() && !assignment.is_list) {
      return SetConfigValue(target, SplitList(absl::StrJoin(assignment.values, ",")), config_);
    }
    if (assignment.is_list && !target.key->is_list()) {
      return absl::InvalidArgumentError("a list where one value is wanted");
    }
    return SetConfigValue(target, assignment.values, config_);
  }

  static std::string Fault(const ConfigTarget& target, const ConfigAssignment& assignment,
                           absl::string_view what) {
    const std::string value =
        target.key->setting.secret() ? "***" : absl::StrJoin(assignment.values, ",");
    return absl::StrCat(target.Name(), " is \"", value, "\": ", what,
                        "; allowed: ", AllowedText(*target.key));
  }

  bool IsEvent(const std::string& event) const {
    return event.empty() || events_.empty() || absl::c_linear_search(events_, event);
  }

  std::string EventHint(absl::string_view event) const {
    NearestName nearest(event);
    for (const std::string& known : events_) nearest.Offer(known);
    return nearest.best().empty() ? absl::StrCat("; there are ", absl::StrJoin(events_, ", "))
                                  : absl::StrCat("; did you mean \"", nearest.best(), "\"?");
  }

  const ConfigSchema& schema_;
  const std::vector<std::string>& events_;
  Message& config_;
  ConfigOrigins& origins_;
  ConfigFaults& faults_;
};

std::vector<ConfigAssignment> ReadFile(const std::string& file, const ConfigSchema& schema,
                                       ConfigFaults& faults) {
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  // A directory opens well and fails at the first read.
  if (!stream || !(text << stream.rdbuf())) {
    if (stream && errno == 0) return {};  // an empty file, of which nothing can be copied
    faults.Add(file, absl::StrCat("cannot be read: ", std::system_category().message(errno)));
    return {};
  }
  return ReadYaml(text.str(), file, schema, faults);
}

template <typename Config>
absl::StatusOr<LoadedConfig<Config>> Load(const ConfigSchema& schema, const ConfigSources& sources,
                                          void (*check)(bool, LoadedConfig<Config>&,
                                                        ConfigFaults&)) {
  LoadedConfig<Config> loaded;
  ConfigFaults faults;
  Loader loader(schema, sources.events, loaded.config, loaded.origins, faults);
  loader.SetDefaults();
  if (!sources.file.empty()) {
    for (const auto& assignment : ReadFile(sources.file, schema, faults)) loader.Set(assignment);
  }
  for (const auto& assignment :
       ReadEnvironment(sources.environment, sources.events, schema, faults)) {
    loader.Set(assignment);
  }
  for (const auto& assignment : sources.flags) loader.Set(assignment);
  // Values that contradict each other are worth a word only when each of them is right.
  if (faults.empty()) check(sources.is_to_serve, loaded, faults);
  if (!faults.empty()) return faults.status();
  return loaded;
}

}  // namespace

absl::StatusOr<LoadedConfig<v1::CoreConfig>> LoadCoreConfig(const ConfigSources& sources) {
  return Load<v1::CoreConfig>(CoreConfigSchema(), sources, CheckCoreConfig);
}

absl::StatusOr<LoadedConfig<v1::GatewayConfig>> LoadGatewayConfig(const ConfigSources& sources) {
  return Load<v1::GatewayConfig>(GatewayConfigSchema(), sources, CheckGatewayConfig);
}

}  // namespace presence
