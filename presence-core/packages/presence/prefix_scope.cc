#include "presence-core/packages/presence/prefix_scope.h"

#include <algorithm>

namespace presence {
namespace {

bool Declares(const XmlElement& element, std::string_view prefix) {
  return std::any_of(element.namespaces.begin(), element.namespaces.end(),
                     [&](const auto& declared) { return declared.prefix == prefix; });
}

// The text `mark` is the prefix with its colon.
bool Uses(const XmlElement& element, std::string_view prefix, const std::string& mark) {
  if (element.prefix == prefix) return true;
  for (const auto& attribute : element.attributes) {
    if (attribute.prefix == prefix || attribute.value.find(mark) != std::string::npos) return true;
  }
  for (const XmlNode& node : element.children) {
    if (node.text() != nullptr ? node.text()->find(mark) != std::string::npos
                               : Uses(*node.element(), prefix, mark)) {
      return true;
    }
  }
  return false;
}

std::string_view DefaultUri(const XmlElement& root) {
  for (const auto& declared : root.namespaces) {
    if (declared.prefix.empty()) return declared.uri;
  }
  return {};
}

}  // namespace

void PrefixScope::Add(const XmlElement& root) {
  for (const auto& declared : root.namespaces) {
    if (declared.prefix.empty() || declared.prefix == "xml") continue;
    const auto [it, is_new] = uris_.emplace(declared.prefix, declared.uri);
    if (!is_new && it->second != declared.uri) it->second.clear();
  }
}

std::vector<XmlElement::Namespace> PrefixScope::Shared() const {
  std::vector<XmlElement::Namespace> shared;
  for (const auto& [prefix, uri] : uris_) {
    if (uri.empty() || prefix.size() + uri.size() > kLongestShared) continue;
    if (shared.size() < kMostShared) shared.push_back({prefix, uri});
  }
  return shared;
}

void PrefixScope::Complete(XmlElement& child, const XmlElement& root) const {
  const std::vector<XmlElement::Namespace> shared = Shared();
  for (const auto& declared : root.namespaces) {
    if (declared.prefix.empty() || declared.prefix == "xml") continue;
    const bool is_shared = std::find(shared.begin(), shared.end(), declared) != shared.end();
    if (is_shared || Declares(child, declared.prefix)) continue;
    if (Uses(child, declared.prefix, declared.prefix + ":")) child.namespaces.push_back(declared);
  }
  // Unprefixed names too must stay in the namespace, or in none, that they were in.
  const std::string_view default_uri = DefaultUri(root);
  if (default_uri != default_uri_ && !Declares(child, "")) {
    child.namespaces.push_back({"", std::string(default_uri)});
  }
}

}  // namespace presence
