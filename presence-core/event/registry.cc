#include "presence-core/event/registry.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "presence-core/model/error.h"

namespace presence {

EventRegistry::EventRegistry(std::unique_ptr<WinfoFormat> winfo_format)
    : winfo_format_(std::move(winfo_format)) {}

absl::Status EventRegistry::Add(std::unique_ptr<EventPackage> package) {
  const std::string name = package->traits().name.text();
  if (!packages_.emplace(name, std::move(package)).second) {
    return absl::AlreadyExistsError(fmt::format("event package \"{}\" is there already", name));
  }
  return absl::OkStatus();
}

const EventPackage* EventRegistry::Find(const EventName& event) const {
  auto it = packages_.find(event.base().text());
  return it == packages_.end() ? nullptr : it->second.get();
}

absl::StatusOr<const EventPackage*> EventRegistry::Require(const EventName& event) const {
  const EventPackage* package = Find(event);
  if (package == nullptr)
    return UnknownEvent(event.text(), fmt::format("{}", fmt::join(EventNames(), ", ")));
  return package;
}

std::vector<std::string> EventRegistry::EventNames() const {
  std::vector<std::string> names;
  for (const auto& [name, package] : packages_) {
    names.push_back(name);
    names.push_back(package->traits().name.winfo().text());
  }
  return names;
}

std::vector<std::string> EventRegistry::ContentTypes() const {
  std::set<std::string> types;
  for (const auto& [name, package] : packages_) {
    types.insert(package->traits().content_types.begin(), package->traits().content_types.end());
  }
  return {types.begin(), types.end()};
}

}  // namespace presence
