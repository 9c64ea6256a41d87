#ifndef PRESENCE_CLI_OUTPUT_WORDING_H_
#define PRESENCE_CLI_OUTPUT_WORDING_H_

#include <cstdint>
#include <string>

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/output/table.h"
#include "presence/v1/types.pb.h"

namespace presence::cli {

// The contract's values in the words people see.

// "1 watcher", "2 watchers".
std::string Count(uint64_t number, absl::string_view noun);
// "1:1".
std::string Words(const v1::Revision& revision);
// "active", "pending", ...; in lists with its colour.
std::string Words(v1::SubscriptionState state);
Cell StateCell(v1::SubscriptionState state);
// "rejected", "timeout", ...; empty for UNSPECIFIED.
std::string Words(v1::TerminationReason reason);
// "allow", "block", "confirm"; "default" for UNSPECIFIED.
std::string Words(v1::WatcherDecision decision);

absl::Duration FromProto(const google::protobuf::Duration& duration);
absl::Time FromProto(const google::protobuf::Timestamp& time);
google::protobuf::Duration ToProto(absl::Duration duration);

// How long until `time`: "9m58s", "expired" when it has passed, "-" when it is not set.
std::string Until(const google::protobuf::Timestamp& time, absl::Time now);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_OUTPUT_WORDING_H_
