#ifndef PRESENCE_CONFIGURATION_FORMAT_H_
#define PRESENCE_CONFIGURATION_FORMAT_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "presence/v1/config.pb.h"

namespace presence {

// OK when `text` has the form that `format` asks for. Names are not looked up and addresses are not
// tried: that a file can be written or an address be bound is seen when it is.
// Errors: InvalidArgument, with what was expected.
absl::Status CheckFormat(presence::v1::Setting::Format format, absl::string_view text);

// What the format asks for, in words: "HOST:PORT".
absl::string_view FormatText(presence::v1::Setting::Format format);

// True for "127.0.0.1:7460", "[::1]:7460", "localhost:7460": only this host can reach it.
bool IsLoopback(absl::string_view address);

}  // namespace presence

#endif  // PRESENCE_CONFIGURATION_FORMAT_H_
