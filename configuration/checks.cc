#include "configuration/checks.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "configuration/durations.h"
#include "configuration/format.h"
#include "configuration/schema.h"
#include "configuration/value.h"

namespace presence {
namespace {

using google::protobuf::Duration;
using google::protobuf::Message;

constexpr absl::string_view kNoDomains =
    "name the domains served (\"domains: [example.com]\" or --domain example.com), or use "
    "developer "
    "mode, which serves every domain";

// Says where each key comes from.
class Describer {
 public:
  Describer(const ConfigSchema& schema, const Message& config, const ConfigOrigins& origins)
      : schema_(schema), config_(config), origins_(origins) {}

  std::string Where(const std::string& key) const {
    const auto origin = origins_.find(key);
    return origin == origins_.end() ? "default" : origin->second.where;
  }

  // "publish.min_expires 2h"
  std::string KeyAndValue(const std::string& key) const {
    const auto target = schema_.Find(key);
    const auto values = target ? GetConfigValue(*target, config_) : std::nullopt;
    return absl::StrCat(key, " ", values ? absl::StrJoin(*values, ",") : "unset");
  }

 private:
  const ConfigSchema& schema_;
  const Message& config_;
  const ConfigOrigins& origins_;
};

// A duration and the key that sets it; a null value is not set.
struct Bound {
  std::string key;
  const Duration* value = nullptr;
};

void CheckOrder(const Bound& lower, const Bound& upper, const Describer& describe,
                ConfigFaults& faults) {
  if (lower.value == nullptr || upper.value == nullptr) return;
  if (ToDuration(*lower.value) <= ToDuration(*upper.value)) return;
  faults.Add(describe.Where(lower.key),
             absl::StrCat(describe.KeyAndValue(lower.key), " is longer than ",
                          describe.KeyAndValue(upper.key), " (", describe.Where(upper.key), ")"));
}

// minimum <= default <= maximum, as far as they are set.
void CheckLifetimes(const Bound& min, const Bound& fallback, const Bound& max,
                    const Describer& describe, ConfigFaults& faults) {
  CheckOrder(min, max, describe, faults);
  CheckOrder(min, fallback, describe, faults);
  CheckOrder(fallback, max, describe, faults);
}

template <typename Section>
Bound MinOf(const Section& section, absl::string_view prefix) {
  return {absl::StrCat(prefix, ".min_expires"),
          section.has_min_expires() ? &section.min_expires() : nullptr};
}
template <typename Section>
Bound MaxOf(const Section& section, absl::string_view prefix) {
  return {absl::StrCat(prefix, ".max_expires"),
          section.has_max_expires() ? &section.max_expires() : nullptr};
}
template <typename Section>
Bound DefaultOf(const Section& section, absl::string_view prefix) {
  return {absl::StrCat(prefix, ".default_expires"),
          section.has_default_expires() ? &section.default_expires() : nullptr};
}

// `section` is PublishConfig or SubscribeConfig.
template <typename Section>
void CheckSection(const Section& section, const std::string& prefix, const Describer& describe,
                  ConfigFaults& faults) {
  const Bound min = MinOf(section, prefix);
  const Bound max = MaxOf(section, prefix);
  const Bound fallback = DefaultOf(section, prefix);
  CheckLifetimes(min, fallback, max, describe, faults);
  const auto or_else = [](const Bound& own, const Bound& general) {
    return own.value != nullptr ? own : general;
  };
  for (const auto& [event, package] : section.packages()) {
    const std::string name = absl::StrCat(prefix, ".packages.", event);
    CheckLifetimes(or_else(MinOf(package, name), min), or_else(DefaultOf(package, name), fallback),
                   or_else(MaxOf(package, name), max), describe, faults);
  }
}

void CheckLoopback(absl::string_view key, absl::string_view address, const Describer& describe,
                   ConfigFaults& faults) {
  if (IsLoopback(address)) return;
  faults.Add(describe.Where(std::string(key)),
             absl::StrCat(key, " ", address,
                          " is open to others: developer mode, in which everybody may do "
                          "everything, listens on loopback addresses only"));
}

void ApplyDevMode(LoadedConfig<v1::CoreConfig>& loaded, const Describer& describe,
                  ConfigFaults& faults) {
  v1::CoreConfig& config = loaded.config;
  for (const std::string& address : config.listen()) {
    CheckLoopback("listen", address, describe, faults);
  }
  CheckLoopback("ops_listen", config.ops_listen(), describe, faults);
  if (config.policy().unknown_watcher() == v1::UNKNOWN_WATCHER_POLICY_UNSPECIFIED) {
    config.mutable_policy()->set_unknown_watcher(v1::UNKNOWN_WATCHER_POLICY_ALLOW);
    loaded.origins["policy.unknown_watcher"] = {ConfigOrigin::Source::kDevMode, "developer mode"};
  }
}

// A mode says when a change is durable; only memory can do without a database.
void CheckStorage(LoadedConfig<v1::CoreConfig>& loaded, const Describer& describe,
                  ConfigFaults& faults) {
  v1::StorageConfig& storage = *loaded.config.mutable_storage();
  const bool is_memory = storage.backend() == v1::STORAGE_BACKEND_MEMORY;
  if (storage.mode() == v1::STORAGE_MODE_UNSPECIFIED) {
    storage.set_mode(is_memory ? v1::STORAGE_MODE_MEMORY : v1::STORAGE_MODE_WRITE_THROUGH);
  }
  const bool has_publications = storage.publications() != v1::STORAGE_MODE_UNSPECIFIED;
  if (!has_publications) storage.set_publications(storage.mode());
  const bool has_subscriptions = storage.subscriptions() != v1::STORAGE_MODE_UNSPECIFIED;
  if (!has_subscriptions) storage.set_subscriptions(storage.mode());
  const auto refuse = [&](absl::string_view key, absl::string_view why) {
    faults.Add(describe.Where(std::string(key)),
               absl::StrCat(describe.KeyAndValue(std::string(key)), " does not go with ",
                            describe.KeyAndValue("storage.backend"), " (",
                            describe.Where("storage.backend"), "): ", why));
  };
  const auto is_kept = [](v1::StorageMode mode) { return mode != v1::STORAGE_MODE_MEMORY; };
  if (is_memory) {
    constexpr absl::string_view kNothingStored =
        "the backend memory stores nothing, so all modes are memory; write-back and write-through "
        "are for the backend postgres";
    if (is_kept(storage.mode())) refuse("storage.mode", kNothingStored);
    if (has_publications && is_kept(storage.publications())) {
      refuse("storage.publications", kNothingStored);
    }
    if (has_subscriptions && is_kept(storage.subscriptions())) {
      refuse("storage.subscriptions", kNothingStored);
    }
  } else if (!is_kept(storage.publications()) && !is_kept(storage.subscriptions())) {
    refuse(has_publications ? "storage.publications" : "storage.mode",
           absl::StrCat("publications and subscriptions both in memory would leave the database "
                        "without use; allowed for postgres are all pairs of memory, write-back "
                        "and write-through but that one, which is the backend memory"));
  }
  const auto is_db_only = [](v1::StorageMode mode) { return mode == v1::STORAGE_MODE_DB_ONLY; };
  if (is_db_only(storage.publications()) != is_db_only(storage.subscriptions())) {
    const absl::string_view key =
        is_db_only(storage.publications()) ? "storage.subscriptions" : "storage.publications";
    faults.Add(describe.Where(std::string(key)),
               absl::StrCat(describe.KeyAndValue(std::string(key)),
                            " does not go with db-only: cores that serve at once keep all of their "
                            "state in the database, or none of it"));
  }
}

}  // namespace

void CheckCoreConfig(bool is_to_serve, LoadedConfig<v1::CoreConfig>& loaded, ConfigFaults& faults) {
  const Describer describe(CoreConfigSchema(), loaded.config, loaded.origins);
  const v1::CoreConfig& config = loaded.config;
  CheckSection(config.publish(), "publish", describe, faults);
  CheckSection(config.subscribe(), "subscribe", describe, faults);
  CheckStorage(loaded, describe, faults);
  if (config.listen().empty() && config.unix_socket().empty()) {
    faults.Add(describe.Where("listen"),
               "listen is empty and unix_socket is not set: nobody could "
               "reach the server");
  }
  if (config.dev()) {
    ApplyDevMode(loaded, describe, faults);
  } else if (is_to_serve && config.domains().empty()) {
    faults.Add("domains", absl::StrCat("not set: ", kNoDomains));
  }
}

void CheckGatewayConfig(bool is_to_serve, LoadedConfig<v1::GatewayConfig>& loaded,
                        ConfigFaults& faults) {
  const Describer describe(GatewayConfigSchema(), loaded.config, loaded.origins);
  const v1::GatewayConfig& config = loaded.config;
  if (config.listen().empty()) {
    faults.Add(describe.Where("listen"), "listen is empty: no SIP message could arrive");
  }
  if (config.core().addresses().empty()) {
    faults.Add(describe.Where("core.addresses"),
               "core.addresses is empty: there is no core to ask");
  }
  CheckOrder({"sip.t1", &config.sip().t1()}, {"sip.t2", &config.sip().t2()}, describe, faults);
  if (is_to_serve && !config.dev() && config.domains().empty()) {
    faults.Add("domains", absl::StrCat("not set: ", kNoDomains));
  }
}

}  // namespace presence
