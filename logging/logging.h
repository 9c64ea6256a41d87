#ifndef PRESENCE_LOGGING_LOGGING_H_
#define PRESENCE_LOGGING_LOGGING_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "presence/v1/config.pb.h"

namespace presence {

// Makes spdlog's default logger what the configuration says. Before the first line is logged.
//
// `journal` is the error output with the priority in front of each line, as sd-daemon(3) describes:
// that is what a systemd unit's journal reads. Errors: INVALID_ARGUMENT   no such sink.
// `program` is the name in each line.
absl::Status StartLogging(const v1::LogConfig& config, const std::string& program);

// Text from the network as it may stand in a log: control characters as \xHH.
std::string Printable(std::string_view text);

}  // namespace presence

#endif  // PRESENCE_LOGGING_LOGGING_H_
