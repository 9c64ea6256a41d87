#ifndef PRESENCE_CORE_EVENT_REGISTRY_H_
#define PRESENCE_CORE_EVENT_REGISTRY_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "presence-core/event/event_package.h"
#include "presence-core/event/winfo.h"

namespace presence {

// The event packages a server knows. Filled once by server/wiring, then read from any thread.
class EventRegistry {
 public:
  explicit EventRegistry(std::unique_ptr<WinfoFormat> winfo_format);

  // Adds a package, and with it its winfo. Errors: AlreadyExists   a package of that name is there;
  // two packages of one name would each see half of the publications.
  absl::Status Add(std::unique_ptr<EventPackage> package);

  // The package of this name or of its base; null when there is none.
  const EventPackage* Find(const EventName& event) const;

  // As Find. Errors: UNKNOWN_EVENT   with the list of what is served.
  absl::StatusOr<const EventPackage*> Require(const EventName& event) const;

  const WinfoFormat& winfo_format() const { return *winfo_format_; }

  // Names for Allow-Events, winfo forms included, in alphabetical order.
  std::vector<std::string> EventNames() const;
  // Types that may be published, for Accept, each once, in alphabetical order.
  std::vector<std::string> ContentTypes() const;

 private:
  const std::unique_ptr<WinfoFormat> winfo_format_;
  std::map<std::string, std::unique_ptr<EventPackage>> packages_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_EVENT_REGISTRY_H_
