#ifndef PRESENCE_TESTS_UNIT_CLI_CONTRACT_STATUS_H_
#define PRESENCE_TESTS_UNIT_CLI_CONTRACT_STATUS_H_

#include <map>
#include <optional>
#include <string>

#include <grpcpp/support/status.h>

#include "absl/time/time.h"
#include "presence/v1/errors.pb.h"

namespace presence::cli {

// The status a server sends for `reason`: its gRPC code by the contract, an ErrorInfo with
// `metadata`, and a RetryInfo if `retry_after` is given.
grpc::Status StatusFor(v1::ErrorReason reason, const std::string& message,
                       const std::map<std::string, std::string>& metadata = {},
                       std::optional<absl::Duration> retry_after = std::nullopt);

}  // namespace presence::cli

#endif  // PRESENCE_TESTS_UNIT_CLI_CONTRACT_STATUS_H_
