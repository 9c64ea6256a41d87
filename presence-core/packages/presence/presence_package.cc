#include "presence-core/packages/presence/presence_package.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "presence-core/packages/presence/contact_uri.h"
#include "presence-core/packages/presence/pidf_composer.h"
#include "presence-core/packages/presence/pidf_names.h"
#include "presence-core/packages/presence/pidf_validator.h"
#include "presence-core/packages/xml/xml_element.h"
#include "presence-core/packages/xml/xml_writer.h"

namespace presence {
namespace {

EventTraits PresenceTraits() {
  EventTraits traits;
  traits.name = *EventName::Parse("presence");
  traits.content_types = {std::string(kPidfContentType)};
  traits.publication.fallback = absl::Hours(1);
  traits.subscription.fallback = absl::Hours(1);  // RFC 3856 §6.4
  // RFC 3856 §6.6.2: a PA MUST NOT accept a subscription that the presentity has not authorized.
  traits.unknown_watcher = UnknownWatcher::kPending;
  traits.advised_notify_interval = absl::Seconds(5);  // RFC 3856 §6.10
  return traits;
}

// For documents of our own making, which may hold those of many publishers.
XmlLimits ComposedLimits(const XmlLimits& limits, size_t max_bytes) {
  XmlLimits composed = limits;
  composed.max_bytes = std::max(limits.max_bytes, max_bytes);
  composed.max_elements = std::numeric_limits<size_t>::max();
  composed.max_attributes = 4 * limits.max_attributes;
  return composed;
}

}  // namespace

PresencePackage::PresencePackage(const XmlLimits& limits, size_t max_composed_bytes)
    : traits_(PresenceTraits()), limits_(limits), max_composed_bytes_(max_composed_bytes) {}

absl::Status PresencePackage::ValidatePublication(const PresentityUri& /*presentity*/,
                                                  const Document& document) const {
  return ValidatePidf(document.body(), limits_);
}

EventPackage::Composed PresencePackage::Compose(
    const PresentityUri& presentity, std::span<const PublicationPtr> publications) const {
  std::vector<std::string_view> bodies;
  bodies.reserve(publications.size());
  for (const PublicationPtr& publication : publications) {
    bodies.push_back(publication->document.body());
  }
  ComposedPidf composed = ComposePidf(presentity, bodies, limits_, max_composed_bytes_);
  return {Document(std::string(kPidfContentType), std::move(composed.text)), composed.left_out};
}

std::optional<Document> PresencePackage::NeutralState(const PresentityUri& presentity) const {
  const std::string uri = presentity.Uri();
  XmlWriter writer;
  writer.Indent().Start("presence").Attribute("xmlns", kPidfUri).Attribute("entity", uri);
  writer.Indent().Start("tuple").Attribute("id", "closed");
  writer.Indent().Start("status").TextElement("basic", "closed").End();
  // RFC 3863 §4.1.2: a tuple with a basic status SHOULD have a contact.
  writer.Indent().TextElement("contact", uri);
  writer.EndIndented().EndIndented();
  return Document(std::string(kPidfContentType), std::move(writer).Finish());
}

bool PresencePackage::MentionsContact(const Document& document, std::string_view contact) const {
  const absl::StatusOr<XmlElement> root =
      ParseXml(document.body(), ComposedLimits(limits_, max_composed_bytes_));
  if (!root.ok()) return false;
  for (const XmlElement* tuple : root->Elements()) {
    if (!tuple->Is(kPidfUri, "tuple")) continue;
    for (const XmlElement* child : tuple->Elements()) {
      if (!child->Is(kPidfUri, "contact")) continue;
      const std::string text = child->Text();
      if (IsSameContact(TrimXmlSpace(text), contact)) return true;
    }
  }
  return false;
}

}  // namespace presence
