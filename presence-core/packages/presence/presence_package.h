#ifndef PRESENCE_CORE_PACKAGES_PRESENCE_PRESENCE_PACKAGE_H_
#define PRESENCE_CORE_PACKAGES_PRESENCE_PRESENCE_PACKAGE_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "presence-core/event/event_package.h"
#include "presence-core/packages/xml/xml_limits.h"

namespace presence {

// The event package "presence" (RFC 3856): application/pidf+xml documents of RFC 3863 and RFC 4479.
// What is valid says pidf_validator.h, how several make one pidf_composer.h.
class PresencePackage final : public EventPackage {
 public:
  // `max_composed_bytes`: see ComposePidf.
  PresencePackage(const XmlLimits& limits, size_t max_composed_bytes);

  const EventTraits& traits() const override { return traits_; }
  absl::Status ValidatePublication(const PresentityUri& presentity,
                                   const Document& document) const override;
  Composed Compose(const PresentityUri& presentity,
                   std::span<const PublicationPtr> publications) const override;

  // One closed tuple. RFC 3863 would allow a document without tuples, but that says nothing, and a
  // watcher would go on showing what it saw last.
  std::optional<Document> NeutralState(const PresentityUri& presentity) const override;

  // By the <contact> of its tuples.
  bool MentionsContact(const Document& document, std::string_view contact) const override;

 private:
  const EventTraits traits_;
  const XmlLimits limits_;
  const size_t max_composed_bytes_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_PRESENCE_PRESENCE_PACKAGE_H_
