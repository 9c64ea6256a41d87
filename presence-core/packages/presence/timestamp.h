#ifndef PRESENCE_CORE_PACKAGES_PRESENCE_TIMESTAMP_H_
#define PRESENCE_CORE_PACKAGES_PRESENCE_TIMESTAMP_H_

#include <string_view>

namespace presence {

// True for a date and time as RFC 3339 §5.6 writes them, with the offset it demands and, as RFC
// 3863 §4.1.7 adds, 'T' and 'Z' capital: "2001-10-27T16:49:29Z".
bool IsTimestamp(std::string_view text);

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_PRESENCE_TIMESTAMP_H_
