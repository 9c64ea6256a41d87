#ifndef PRESENCE_SIP_GATEWAY_TRANSLATE_ABSEIL_TEXT_H_
#define PRESENCE_SIP_GATEWAY_TRANSLATE_ABSEIL_TEXT_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace presence::sip {

// Debian builds abseil with a string_view of its own, so that views of the standard library need
// this step on their way into it. Does nothing at run time.
inline absl::string_view Abseil(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSLATE_ABSEIL_TEXT_H_
