#ifndef PRESENCE_CORE_PACKAGES_XML_XML_LIMITS_H_
#define PRESENCE_CORE_PACKAGES_XML_XML_LIMITS_H_

#include <cstddef>

namespace presence {

// How much XML a document may hold. Each bound keeps the cost of a hostile document near that of an
// honest one; honest ones stay far below. A value.
struct XmlLimits {
  // Documents larger than this are refused unread.
  size_t max_bytes = 32 * 1024;
  // Elements inside each other, the root included.
  size_t max_depth = 64;
  size_t max_elements = 4096;
  // Attributes and namespace declarations of one element together: an XML parser compares each with
  // each to find doubles, so their number costs its square.
  size_t max_attributes = 64;
};

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_XML_XML_LIMITS_H_
