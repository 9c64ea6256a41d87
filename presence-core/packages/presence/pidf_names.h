#ifndef PRESENCE_CORE_PACKAGES_PRESENCE_PIDF_NAMES_H_
#define PRESENCE_CORE_PACKAGES_PRESENCE_PIDF_NAMES_H_

#include <string_view>

namespace presence {

inline constexpr std::string_view kPidfContentType = "application/pidf+xml";
inline constexpr std::string_view kPidfUri = "urn:ietf:params:xml:ns:pidf";  // RFC 3863 §4.1.1
inline constexpr std::string_view kDataModelUri =
    "urn:ietf:params:xml:ns:pidf:data-model";  // RFC 4479 §5.1.2

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_PRESENCE_PIDF_NAMES_H_
