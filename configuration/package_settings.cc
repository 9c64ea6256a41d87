#include "configuration/package_settings.h"

#include <string>

#include "configuration/durations.h"

namespace presence {
namespace {

// What a map of the configuration has for this event package; an empty message where it has
// nothing.
template <typename Map>
const typename Map::mapped_type& EntryFor(const Map& map, std::string_view event) {
  const auto entry = map.find(std::string(event));
  return entry == map.end() ? Map::mapped_type::default_instance() : entry->second;
}

// `section` is PublishConfig or SubscribeConfig.
template <typename Section>
LifetimeSettings Lifetimes(const Section& section, std::string_view event) {
  LifetimeSettings settings;
  const v1::PackageLifetimes& package = EntryFor(section.packages(), event);
  if (section.has_min_expires()) settings.minimum = ToDuration(section.min_expires());
  if (section.has_max_expires()) settings.maximum = ToDuration(section.max_expires());
  if (section.has_default_expires()) settings.fallback = ToDuration(section.default_expires());
  if (package.has_min_expires()) settings.minimum = ToDuration(package.min_expires());
  if (package.has_max_expires()) settings.maximum = ToDuration(package.max_expires());
  if (package.has_default_expires()) settings.fallback = ToDuration(package.default_expires());
  return settings;
}

}  // namespace

PackageSettings SettingsFor(const v1::CoreConfig& config, std::string_view event) {
  const v1::PackageConfig& package = EntryFor(config.packages(), event);
  const v1::PackageNotifyConfig& notify = EntryFor(config.notify().packages(), event);
  const v1::PackagePolicyConfig& policy = EntryFor(config.policy().packages(), event);
  PackageSettings settings;
  settings.publication = Lifetimes(config.publish(), event);
  settings.subscription = Lifetimes(config.subscribe(), event);
  settings.min_expires_action = package.min_expires_action() != v1::MIN_EXPIRES_ACTION_UNSPECIFIED
                                    ? package.min_expires_action()
                                    : config.min_expires_action();
  settings.initial_notify = package.initial_notify() != v1::INITIAL_NOTIFY_UNSPECIFIED
                                ? package.initial_notify()
                                : config.initial_notify();
  settings.min_notify_interval = ToDuration(
      notify.has_min_interval() ? notify.min_interval() : config.notify().min_interval());
  settings.unknown_watcher = policy.unknown_watcher() != v1::UNKNOWN_WATCHER_POLICY_UNSPECIFIED
                                 ? policy.unknown_watcher()
                                 : config.policy().unknown_watcher();
  return settings;
}

}  // namespace presence
