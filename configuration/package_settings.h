#ifndef PRESENCE_CONFIGURATION_PACKAGE_SETTINGS_H_
#define PRESENCE_CONFIGURATION_PACKAGE_SETTINGS_H_

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "presence/v1/core_config.pb.h"

namespace presence {

// Lifetimes as configured; what is not set is the event package's own to say.
struct LifetimeSettings {
  std::optional<absl::Duration> minimum;
  std::optional<absl::Duration> maximum;
  std::optional<absl::Duration> fallback;  // when nothing is asked for
};

// What the configuration says about one event package: the keys for that package, else the keys for
// all. A value.
struct PackageSettings {
  LifetimeSettings publication;
  LifetimeSettings subscription;
  presence::v1::MinExpiresAction min_expires_action = presence::v1::MIN_EXPIRES_ACTION_UNSPECIFIED;
  presence::v1::InitialNotify initial_notify = presence::v1::INITIAL_NOTIFY_UNSPECIFIED;
  absl::Duration min_notify_interval;
  // UNSPECIFIED: the event package's own to say.
  presence::v1::UnknownWatcherPolicy unknown_watcher =
      presence::v1::UNKNOWN_WATCHER_POLICY_UNSPECIFIED;
};

// `config` as LoadCoreConfig returned it; `event` without ".winfo", which takes what its package
// has.
PackageSettings SettingsFor(const presence::v1::CoreConfig& config, std::string_view event);

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_PACKAGE_SETTINGS_H_
