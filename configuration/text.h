#ifndef PRESENCE_CONFIGURATION_TEXT_H_
#define PRESENCE_CONFIGURATION_TEXT_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace presence {

// `text` in lines of at most `width` columns, cut at spaces, each beginning with `indent` and
// ending with a line end. A longer word gets a line of its own.
std::string Wrap(absl::string_view text, absl::string_view indent, size_t width);

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_TEXT_H_
