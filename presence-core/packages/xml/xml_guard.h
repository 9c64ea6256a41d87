#ifndef PRESENCE_CORE_PACKAGES_XML_XML_GUARD_H_
#define PRESENCE_CORE_PACKAGES_XML_XML_GUARD_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "presence-core/packages/xml/xml_limits.h"

namespace presence {

// Looks over XML text before any parser sees it. It knows where tags, comments and CDATA sections
// begin and end and nothing more, so it needs one pass, no memory, and cannot be made slow. The
// parser could count the same things, but tells only after it has read a whole start tag, and
// comparing the attributes of that tag is what a document of 20,000 attributes is made for.
//
// Afterwards the text keeps to `limits` and has none of: a DOCTYPE (so no entities beyond the five
// of XML itself, nothing external and nothing to expand), a processing instruction (presence has
// none, and a stylesheet would make watchers fetch it), a NUL byte, an encoding other than UTF-8
// (RFC 3863 §4.1 asks for no other). Whether it is well-formed remains the parser's question.
//
// Errors: DOCUMENT_TOO_LARGE; BAD_DOCUMENT with line and column.
absl::Status CheckXmlLimits(std::string_view text, const XmlLimits& limits);

// A refusal of `text` at this byte, with its line and column.
absl::Status BadXml(std::string_view text, size_t offset, std::string_view why);

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_XML_XML_GUARD_H_
