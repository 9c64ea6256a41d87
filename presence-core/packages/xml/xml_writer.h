#ifndef PRESENCE_CORE_PACKAGES_XML_XML_WRITER_H_
#define PRESENCE_CORE_PACKAGES_XML_XML_WRITER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "presence-core/packages/xml/xml_element.h"

namespace presence {

// Appends `text` as character data, or as an attribute value between double quotes: it reads back
// as the same text. What XML 1.0 cannot hold (control characters, broken UTF-8) becomes U+FFFD.
void AppendXmlText(std::string& out, std::string_view text);
void AppendXmlAttributeValue(std::string& out, std::string_view text);

// Writes a document front to back, as UTF-8. Names are the caller's and written as they are; values
// are escaped. Not thread-safe.
class XmlWriter {
 public:
  // Begins with the XML declaration (RFC 3863 §4.1: it MUST be there).
  XmlWriter();

  XmlWriter& Start(std::string_view qualified_name);
  // Of the element just started, before its content.
  XmlWriter& Attribute(std::string_view qualified_name, std::string_view value);
  XmlWriter& Text(std::string_view text);
  XmlWriter& End();
  // End, on a line of its own below its Start.
  XmlWriter& EndIndented();
  // Start, Text, End.
  XmlWriter& TextElement(std::string_view qualified_name, std::string_view text);
  // A line break and two spaces for each open element.
  XmlWriter& Indent();
  // Content that is XML already.
  XmlWriter& Raw(std::string_view xml);

  // Bytes so far.
  size_t size() const { return out_.size(); }
  // Takes back what was written since size() was this. The same elements must be open now, and the
  // innermost must have had content already or none now.
  void CutBackTo(size_t size) { out_.resize(size); }

  // The document; ends what is still open.
  std::string Finish() &&;

 private:
  void CloseTag();

  std::string out_;
  std::vector<std::string> open_;
  bool is_tag_open_ = false;
};

// The element with all that is in it, prefixes and declarations as they stand.
std::string WriteElement(const XmlElement& element);

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_XML_XML_WRITER_H_
