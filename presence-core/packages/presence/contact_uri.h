#ifndef PRESENCE_CORE_PACKAGES_PRESENCE_CONTACT_URI_H_
#define PRESENCE_CORE_PACKAGES_PRESENCE_CONTACT_URI_H_

#include <string_view>

namespace presence {

// True when two contact URIs reach the same place. sip: and sips: URIs compare as RFC 3261 §19.1.4
// says: the user with its case, host and parameters without, a port or one of the parameters
// transport, user, ttl, method, maddr (and gr, RFC 5627 §3.1: it names the device) only on one side
// differs, other parameters only on one side do not matter. Others compare as text, save the case
// of the scheme.
bool IsSameContact(std::string_view a, std::string_view b);

}  // namespace presence

#endif  // PRESENCE_CORE_PACKAGES_PRESENCE_CONTACT_URI_H_
