#include "presence-core/packages/builtin_packages.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "presence-core/model/error.h"
#include "presence-core/packages/presence/presence_package.h"
#include "presence-core/packages/winfo/winfo_writer.h"

namespace presence {
namespace {

absl::Status CheckRange(std::string_view name, size_t value, size_t low, size_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return InvalidField(name, fmt::format("{} is not between {} and {}", value, low, high));
}

absl::Status CheckOptions(const PackageOptions& options) {
  for (const absl::Status& status : {
           CheckRange("xml.max_bytes", options.xml.max_bytes, 1024, 1024 * 1024),
           // libxml2 itself stops at 256 deep.
           CheckRange("xml.max_depth", options.xml.max_depth, 8, 256),
           CheckRange("xml.max_elements", options.xml.max_elements, 64, 65536),
           CheckRange("xml.max_attributes", options.xml.max_attributes, 16, 1024),
           CheckRange("max_composed_bytes", options.max_composed_bytes, 4 * 1024, 192 * 1024),
       }) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<EventRegistry>> MakeBuiltinRegistry(const PackageOptions& options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  auto registry = std::make_unique<EventRegistry>(std::make_unique<WinfoWriter>());
  const absl::Status added =
      registry->Add(std::make_unique<PresencePackage>(options.xml, options.max_composed_bytes));
  if (!added.ok()) return added;
  return registry;
}

}  // namespace presence
