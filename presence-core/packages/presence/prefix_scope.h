#ifndef PRESENCE_CORE_PACKAGES_PRESENCE_PREFIX_SCOPE_H_
#define PRESENCE_CORE_PACKAGES_PRESENCE_PREFIX_SCOPE_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "presence-core/packages/xml/xml_element.h"

namespace presence {

// Which namespace prefixes a composed document declares at its root, and which of them an element
// from one of its sources needs to declare itself. A value.
class PrefixScope {
 public:
  // The default namespace of the composed document.
  explicit PrefixScope(std::string_view default_uri) : default_uri_(default_uri) {}

  // Takes note of what a source declares at its root. All sources come before the questions below.
  void Add(const XmlElement& root);

  // The declarations on which all sources that have them agree, for the composed root. Bounded in
  // number and length: they come on top of the elements, whose size the composer watches.
  std::vector<XmlElement::Namespace> Shared() const;

  // Declares at `child`, taken from below `root`, what it got from there and does not find in the
  // composed document. A prefix counts as used if it stands in a name or before a ':' in a value.
  void Complete(XmlElement& child, const XmlElement& root) const;

 private:
  static constexpr size_t kMostShared = 32;
  static constexpr size_t kLongestShared = 256;

  std::string default_uri_;
  // By prefix; an empty URI where the sources disagree.
  std::map<std::string, std::string> uris_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_PRESENCE_PREFIX_SCOPE_H_
