#ifndef PRESENCE_CORE_PACKAGES_PRESENCE_PIDF_VALIDATOR_H_
#define PRESENCE_CORE_PACKAGES_PRESENCE_PIDF_VALIDATOR_H_

#include <string_view>

#include "absl/status/status.h"
#include "presence-core/packages/xml/xml_limits.h"

namespace presence {

// OK for a presence document (RFC 3863, with the persons and devices of RFC 4479) that may be
// published, and so be sent to watchers as it stands.
//
// Strict where a watcher would stumble:
// - the root is <presence> of the PIDF namespace and has an `entity` (RFC 3863 §4.1.1);
// - each tuple, person and device has an `id`, not empty, and no two of a document share one (RFC
//   4479 §3.5 scopes occurrence ids over all three);
// - a tuple has exactly one <status>, at most one <contact> and one <timestamp>; a status has at
//   most one <basic>, which says "open" or "closed" (RFC 3863 §4.1.2 - §4.1.4);
// - timestamps are those of RFC 3339 (RFC 3863 §4.1.7, RFC 4479 §3.5);
// - a contact's priority is a decimal number (RFC 3863 §4.1.5);
// - mustUnderstand is a boolean, and not on an element of PIDF itself, which everybody understands
//   anyway (RFC 3863 §4.2.3).
//
// Lenient where nobody is harmed:
// - `entity` may name anybody. RFC 3863 wants the presentity's pres: URI, phones write sip: URIs,
//   device addresses or a display name; who publishes for whom was settled by the request's URI
//   (RFC 3903 §6 step 1), and a composed document gets the right one. Kamailio does not look
//   either.
// - Elements may come in any order, and a status may be empty: RFC 4479 §5 asks implementations to
//   take what they can from such documents.
// - A priority out of 0..1 counts as absent (RFC 3863 §4.1.5), so it is left alone.
// - An id may be any string (RFC 3863 §4.1.2), though the schema says xs:ID: many begin with a
//   digit.
// - Elements and attributes of other names are not looked at (RFC 3863 §4.2.3), nor is what is in
//   them.
//
// Errors: DOCUMENT_TOO_LARGE; BAD_DOCUMENT with line and column.
absl::Status ValidatePidf(std::string_view body, const XmlLimits& limits);

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_PRESENCE_PIDF_VALIDATOR_H_
