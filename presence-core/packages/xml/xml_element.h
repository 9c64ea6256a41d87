#ifndef PRESENCE_CORE_PACKAGES_XML_XML_ELEMENT_H_
#define PRESENCE_CORE_PACKAGES_XML_XML_ELEMENT_H_

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "presence-core/packages/xml/xml_limits.h"

namespace presence {

struct XmlNode;

// A part of a document as a tree, for those who rearrange documents; whoever only looks at one uses
// ReadXml, which is cheaper. Keeps the prefixes and declarations as written, since names may also
// stand in values, where nobody can tell them from text. Comments are gone, CDATA is text. A value.
struct XmlElement {
  struct Attribute {
    std::string prefix;
    std::string local;
    std::string uri;
    std::string value;

    friend bool operator==(const Attribute&, const Attribute&) = default;
  };
  struct Namespace {
    std::string prefix;  // empty: the default namespace
    std::string uri;

    friend bool operator==(const Namespace&, const Namespace&) = default;
  };

  std::string prefix;
  std::string local;
  std::string uri;
  std::vector<Namespace> namespaces;
  std::vector<Attribute> attributes;
  std::vector<XmlNode> children;

  bool Is(std::string_view of_uri, std::string_view of_local) const {
    return local == of_local && uri == of_uri;
  }
  // The value of an attribute, null when it is not there.
  const std::string* Find(std::string_view of_uri, std::string_view of_local) const;
  // The text in it, that of its child elements included.
  std::string Text() const;
  std::vector<const XmlElement*> Elements() const;

  friend bool operator==(const XmlElement&, const XmlElement&);
};

// A piece of content: text, or an element.
struct XmlNode {
  std::variant<std::string, XmlElement> content;

  const XmlElement* element() const { return std::get_if<XmlElement>(&content); }
  const std::string* text() const { return std::get_if<std::string>(&content); }

  friend bool operator==(const XmlNode&, const XmlNode&) = default;
};

// The root of a document. Errors: as ReadXml.
absl::StatusOr<XmlElement> ParseXml(std::string_view text, const XmlLimits& limits);

inline constexpr std::string_view kXmlUri = "http://www.w3.org/XML/1998/namespace";

// Without the white space around it, as XML counts white space.
std::string_view TrimXmlSpace(std::string_view text);

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_XML_XML_ELEMENT_H_
