#ifndef PRESENCE_CORE_PACKAGES_XML_XML_READER_H_
#define PRESENCE_CORE_PACKAGES_XML_XML_READER_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "presence-core/packages/xml/xml_limits.h"

namespace presence {

// A name as it was written and as it is meant (Namespaces in XML 1.0 §4). `prefix` is empty without
// one; `uri` is empty in no namespace.
struct XmlName {
  std::string_view prefix;
  std::string_view local;
  std::string_view uri;

  bool Is(std::string_view of_uri, std::string_view of_local) const {
    return local == of_local && uri == of_uri;
  }
};

struct XmlAttribute {
  XmlName name;
  std::string_view value;  // references replaced, white space normalized
};

// xmlns:prefix="uri"; an empty prefix is the default namespace.
struct XmlNamespace {
  std::string_view prefix;
  std::string_view uri;
};

struct XmlTag {
  XmlName name;
  std::span<const XmlNamespace> namespaces;  // declared at this element
  std::span<const XmlAttribute> attributes;

  // The value of an attribute without a namespace; null when it is not there.
  const std::string_view* Find(std::string_view local) const;
};

// Takes a document apart as it is read. All views live until the call returns. Each call says why
// the document is to be refused, or nothing to go on; the reader adds line and column.
class XmlHandler {
 public:
  using Refusal = std::string;

  virtual ~XmlHandler() = default;
  virtual Refusal OnStart(const XmlTag& tag) = 0;
  virtual Refusal OnEnd() = 0;
  // Character data, CDATA sections included; one text may come in several pieces,
  // none of them empty.
  virtual Refusal OnText(std::string_view text) = 0;
};

// Reads a whole document with libxml2, after CheckXmlLimits. Nothing but `text` is read: no file,
// no network, no catalog. Comments are passed over. Safe to call from any thread.
// Errors: DOCUMENT_TOO_LARGE; BAD_DOCUMENT   not well-formed, not namespace-well-formed, past a
// limit, or refused by the handler; with line and column.
absl::Status ReadXml(std::string_view text, const XmlLimits& limits, XmlHandler& handler);

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_XML_XML_READER_H_
