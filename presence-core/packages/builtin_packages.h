#ifndef PRESENCE_CORE_PACKAGES_BUILTIN_PACKAGES_H_
#define PRESENCE_CORE_PACKAGES_BUILTIN_PACKAGES_H_

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "presence-core/event/registry.h"
#include "presence-core/packages/xml/xml_limits.h"

namespace presence {

// What all packages are made with. A value.
struct PackageOptions {
  // Of one published document. A document past it is refused.
  XmlLimits xml;
  // The largest document composed of several. What is past it is left out, the weakest first; more
  // makes NOTIFYs that gateways and watchers may not take. Range [4 KiB, 192 KiB]: a frame of the
  // gateway link holds 256 KiB.
  size_t max_composed_bytes = 128 * 1024;
};

// All event packages this server comes with; the only list of them. Errors: INVALID_FIELD   an
// option out of its range.
absl::StatusOr<std::unique_ptr<EventRegistry>> MakeBuiltinRegistry(const PackageOptions& options);

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_BUILTIN_PACKAGES_H_
