#ifndef PRESENCE_CLI_OUTPUT_PRINTABLE_H_
#define PRESENCE_CLI_OUTPUT_PRINTABLE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace presence::cli {

// `text` as one line that is safe to show: line ends and tabs become spaces; control characters,
// text direction overrides and bytes that are not UTF-8 become U+FFFD. Notes and addresses come
// from whoever may publish; unfiltered they could move the cursor, recolour or retitle an
// administrator's terminal.
std::string Printable(absl::string_view text);

// Whether `text` is UTF-8 without NUL throughout.
bool IsUtf8(absl::string_view text);

// How many terminal columns `text` takes: wide characters two, combining marks none.
int DisplayWidth(absl::string_view text);

// The longest beginning of `text` that fits `columns`, with "…" as its last character where
// something was cut.
std::string CutToWidth(absl::string_view text, int columns);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_OUTPUT_PRINTABLE_H_
