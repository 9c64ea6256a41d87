#include "presence-core/policy/policy_snapshot.h"

namespace presence {
namespace {

Authorization Of(UnknownWatcher unknown) {
  switch (unknown) {
    case UnknownWatcher::kAllow:
      return Authorization::kAllow;
    case UnknownWatcher::kPending:
      return Authorization::kConfirm;
    case UnknownWatcher::kBlock:
      return Authorization::kBlock;
  }
  return Authorization::kBlock;
}

}  // namespace

Verdict PolicySnapshot::Authorize(const ResourceKey& resource, const EventName& event,
                                  const WatcherUri& watcher, WatcherDecision decision,
                                  const EventTraits& traits) const {
  if (event.is_winfo()) {
    const bool is_owner = watcher.text() == resource.presentity.text();
    return is_owner
               ? Verdict{Authorization::kAllow, "watcher information is for its presentity"}
               : Verdict{Authorization::kBlock, "watcher information is for its presentity only"};
  }
  switch (decision) {
    case WatcherDecision::kAllow:
      return {Authorization::kAllow, "the presentity approved this watcher"};
    case WatcherDecision::kBlock:
      return {Authorization::kBlock, "the presentity blocked this watcher"};
    case WatcherDecision::kConfirm:
      return {Authorization::kConfirm, "the presentity wants to be asked about this watcher"};
    case WatcherDecision::kNone:
      break;
  }
  if (auto it = defaults_.by_event.find(resource.event.text()); it != defaults_.by_event.end()) {
    return {Of(it->second), "configured default of this event package"};
  }
  if (defaults_.all.has_value()) return {Of(*defaults_.all), "configured default of all packages"};
  return {Of(traits.unknown_watcher), "default of the event package itself"};
}

}  // namespace presence
