#include "presence-core/server/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "configuration/durations.h"
#include "configuration/faults.h"
#include "configuration/package_settings.h"
#include "configuration/units.h"

namespace presence {
namespace {

// The longest that core_config.proto takes for any lifetime.
constexpr absl::Duration kLongestLifetime = absl::Hours(24 * 30);

std::vector<const EventPackage*> PackagesOf(const EventRegistry& registry) {
  std::vector<const EventPackage*> packages;
  for (const std::string& name : registry.EventNames()) {
    const absl::StatusOr<EventName> event = EventName::Parse(name);
    if (event.ok() && !event->is_winfo()) packages.push_back(registry.Find(*event));
  }
  return packages;
}

// Where a lifetime of one event package comes from: "publish.packages.presence.min_expires" or
// "publish.min_expires".
struct LifetimeKeys {
  std::string_view section;
  std::string_view event;
  const v1::PackageLifetimes* package;  // null where the section has nothing for this package

  std::string Key(std::string_view field, bool is_of_package) const {
    return is_of_package ? fmt::format("{}.packages.{}.{}", section, event, field)
                         : fmt::format("{}.{}", section, field);
  }
  std::string Minimum() const { return Key("min_expires", package && package->has_min_expires()); }
  std::string Maximum() const { return Key("max_expires", package && package->has_max_expires()); }
  std::string Fallback() const {
    return Key("default_expires", package && package->has_default_expires());
  }
};

// `section` is PublishConfig or SubscribeConfig.
template <typename Section>
LifetimeKeys KeysOf(std::string_view name, const Section& section, const std::string& event) {
  const auto entry = section.packages().find(event);
  return {name, event, entry == section.packages().end() ? nullptr : &entry->second};
}

void Refuse(const std::string& key, absl::Duration value, absl::Duration least, absl::Duration most,
            const LifetimeKeys& keys, ConfigFaults& faults) {
  faults.Add(key, fmt::format("{} does not go with what the event package {} says: allowed here is "
                              "{} to {}; set the other bound, too, to go beyond",
                              PrintDuration(value), keys.event, PrintDuration(least),
                              PrintDuration(most)));
}

// What is configured in place of what the package says. Values that are both configured have been
// checked against each other; one alone may contradict the package.
Lifetimes Merge(const LifetimeSettings& settings, const Lifetimes& own, const LifetimeKeys& keys,
                ConfigFaults& faults) {
  Lifetimes merged{settings.minimum.value_or(own.minimum), settings.maximum.value_or(own.maximum),
                   settings.fallback.value_or(own.fallback)};
  if (merged.minimum > merged.maximum) {
    if (settings.minimum.has_value()) {
      Refuse(keys.Minimum(), merged.minimum, absl::ZeroDuration(), merged.maximum, keys, faults);
    } else {
      Refuse(keys.Maximum(), merged.maximum, merged.minimum, kLongestLifetime, keys, faults);
    }
    return merged;
  }
  if (!settings.fallback.has_value()) {
    // Nobody has said so: it follows the bounds.
    merged.fallback = std::clamp(own.fallback, merged.minimum, merged.maximum);
  } else if (merged.fallback < merged.minimum || merged.fallback > merged.maximum) {
    Refuse(keys.Fallback(), merged.fallback, merged.minimum, merged.maximum, keys, faults);
  }
  return merged;
}

InitialNotify ToInitialNotify(v1::InitialNotify initial) {
  switch (initial) {
    case v1::INITIAL_NOTIFY_WHEN_STATE:
      return InitialNotify::kWhenState;
    case v1::INITIAL_NOTIFY_NEVER:
      return InitialNotify::kNever;
    default:
      return InitialNotify::kAlways;
  }
}

OnNotifyTimeout ToOnTimeout(v1::OnNotifyTimeout on_timeout) {
  switch (on_timeout) {
    case v1::ON_NOTIFY_TIMEOUT_KEEP:
      return OnNotifyTimeout::kKeep;
    case v1::ON_NOTIFY_TIMEOUT_RETRY:
      return OnNotifyTimeout::kRetry;
    default:
      return OnNotifyTimeout::kRemove;
  }
}

CompositionOrder ToOrder(v1::ComposeOrder order) {
  switch (order) {
    case v1::COMPOSE_ORDER_RECEIVED:
      return CompositionOrder::kReceived;
    case v1::COMPOSE_ORDER_PRIORITY:
      return CompositionOrder::kPriority;
    default:
      return CompositionOrder::kPriorityThenReceived;
  }
}

UnknownWatcher ToUnknownWatcher(v1::UnknownWatcherPolicy policy) {
  switch (policy) {
    case v1::UNKNOWN_WATCHER_POLICY_ALLOW:
      return UnknownWatcher::kAllow;
    case v1::UNKNOWN_WATCHER_POLICY_BLOCK:
      return UnknownWatcher::kBlock;
    default:
      return UnknownWatcher::kPending;
  }
}

PackageConfig ToPackageConfig(const v1::CoreConfig& config, const EventTraits& traits,
                              ConfigFaults& faults) {
  const std::string& name = traits.name.text();
  const PackageSettings settings = SettingsFor(config, name);
  PackageConfig package;
  package.publication = Merge(settings.publication, traits.publication,
                              KeysOf("publish", config.publish(), name), faults);
  package.subscription = Merge(settings.subscription, traits.subscription,
                               KeysOf("subscribe", config.subscribe(), name), faults);
  package.too_brief = settings.min_expires_action == v1::MIN_EXPIRES_ACTION_RAISE
                          ? TooBrief::kRaise
                          : TooBrief::kReject;
  package.initial_notify = ToInitialNotify(settings.initial_notify);
  package.min_notify_interval = settings.min_notify_interval;
  return package;
}

}  // namespace

PackageOptions ToPackageOptions(const v1::CoreConfig& config) {
  PackageOptions options;
  options.xml.max_bytes = config.limits().max_document_bytes();
  options.xml.max_depth = config.limits().max_xml_depth();
  options.xml.max_elements = config.limits().max_xml_elements();
  options.xml.max_attributes = config.limits().max_xml_attributes();
  return options;
}

absl::StatusOr<EngineConfig> ToEngineConfig(const v1::CoreConfig& config,
                                            const EventRegistry& registry) {
  EngineConfig engine;
  ConfigFaults faults;
  engine.addresses.fold_user_case = config.uri().fold_user_case();
  engine.domains.assign(config.domains().begin(), config.domains().end());
  for (const EventPackage* package : PackagesOf(registry)) {
    const EventTraits& traits = package->traits();
    engine.packages[traits.name.text()] = ToPackageConfig(config, traits, faults);
  }
  if (!faults.empty()) return faults.status();
  engine.publish_expires_margin = ToDuration(config.publish().expires_margin());
  engine.publish_replace_same_call_id = config.publish().replace_same_call_id();
  engine.expire_silently = config.publish().expire_silently();
  engine.subscribe_grace = ToDuration(config.subscribe().grace());
  engine.cseq_tolerance = config.subscribe().cseq_tolerance();
  engine.subscribe_replace_same_call_id = config.subscribe().replace_same_call_id();
  engine.sweep_interval = ToDuration(config.expiry().sweep_interval());
  engine.composition_order = ToOrder(config.compose().order());
  engine.reject_how = config.policy().reject() == v1::REJECT_ACTION_AFTER_ACCEPT
                          ? RejectHow::kAfterAccept
                          : RejectHow::kImmediately;
  engine.on_notify_timeout = ToOnTimeout(config.notify().on_timeout());
  engine.waiting_lifetime = ToDuration(config.policy().waiting_lifetime());
  engine.max_document_bytes = config.limits().max_document_bytes();
  engine.max_publications = config.limits().max_publications_per_presentity();
  engine.max_subscriptions = config.limits().max_subscriptions_per_presentity();
  engine.max_per_watcher = config.limits().max_subscriptions_per_watcher();
  engine.sip_t1 = ToDuration(config.notify().t1());
  engine.resync_rate = config.notify().resync_rate();
  // Where not everything outlives the process, watchers are told again anyhow.
  const v1::StorageConfig& storage = config.storage();
  if (storage.publications() == v1::STORAGE_MODE_MEMORY ||
      storage.subscriptions() == v1::STORAGE_MODE_MEMORY) {
    engine.settle_rate = 0;
  }
  // Of several cores none knows what the dialogs of all have been told.
  if (storage.publications() == v1::STORAGE_MODE_DB_ONLY) {
    engine.settle_rate = 0;
  }
  return engine;
}

PolicySnapshot::Defaults ToPolicyDefaults(const v1::CoreConfig& config,
                                          const EventRegistry& registry) {
  PolicySnapshot::Defaults defaults;
  for (const EventPackage* package : PackagesOf(registry)) {
    const std::string& name = package->traits().name.text();
    const v1::UnknownWatcherPolicy policy = SettingsFor(config, name).unknown_watcher;
    if (policy == v1::UNKNOWN_WATCHER_POLICY_UNSPECIFIED) continue;
    defaults.by_event[name] = ToUnknownWatcher(policy);
  }
  return defaults;
}

}  // namespace presence
