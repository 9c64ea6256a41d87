#include "presence-core/packages/xml/xml_element.h"

#include <utility>

#include "presence-core/packages/xml/xml_reader.h"

namespace presence {
namespace {

// Builds the tree; `open_` are the elements that have not ended yet, outermost first.
class TreeBuilder final : public XmlHandler {
 public:
  Refusal OnStart(const XmlTag& tag) override {
    XmlElement element;
    element.prefix = tag.name.prefix;
    element.local = tag.name.local;
    element.uri = tag.name.uri;
    for (const XmlNamespace& declared : tag.namespaces) {
      element.namespaces.push_back({std::string(declared.prefix), std::string(declared.uri)});
    }
    for (const XmlAttribute& attribute : tag.attributes) {
      element.attributes.push_back({std::string(attribute.name.prefix),
                                    std::string(attribute.name.local),
                                    std::string(attribute.name.uri), std::string(attribute.value)});
    }
    open_.push_back(std::move(element));
    return {};
  }

  Refusal OnEnd() override {
    XmlElement done = std::move(open_.back());
    open_.pop_back();
    if (open_.empty()) {
      root_ = std::move(done);
    } else {
      open_.back().children.push_back({std::move(done)});
    }
    return {};
  }

  Refusal OnText(std::string_view text) override {
    std::vector<XmlNode>& siblings = open_.back().children;
    if (siblings.empty() || siblings.back().text() == nullptr) siblings.push_back({std::string()});
    std::get<std::string>(siblings.back().content).append(text);
    return {};
  }

  XmlElement Take() { return std::move(root_); }

 private:
  std::vector<XmlElement> open_;
  XmlElement root_;
};

}  // namespace

const std::string* XmlElement::Find(std::string_view of_uri, std::string_view of_local) const {
  for (const Attribute& attribute : attributes) {
    if (attribute.local == of_local && attribute.uri == of_uri) return &attribute.value;
  }
  return nullptr;
}

std::string XmlElement::Text() const {
  std::string text;
  for (const XmlNode& node : children) {
    text += node.text() != nullptr ? *node.text() : node.element()->Text();
  }
  return text;
}

std::vector<const XmlElement*> XmlElement::Elements() const {
  std::vector<const XmlElement*> elements;
  for (const XmlNode& node : children) {
    if (node.element() != nullptr) elements.push_back(node.element());
  }
  return elements;
}

bool operator==(const XmlElement& a, const XmlElement& b) {
  return a.prefix == b.prefix && a.local == b.local && a.uri == b.uri &&
         a.namespaces == b.namespaces && a.attributes == b.attributes && a.children == b.children;
}

absl::StatusOr<XmlElement> ParseXml(std::string_view text, const XmlLimits& limits) {
  TreeBuilder builder;
  if (absl::Status status = ReadXml(text, limits, builder); !status.ok()) return status;
  return builder.Take();
}

std::string_view TrimXmlSpace(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

}  // namespace presence
