#ifndef PRESENCE_CORE_RPC_STATUS_MAP_H_
#define PRESENCE_CORE_RPC_STATUS_MAP_H_

#include <grpcpp/support/status.h>

#include <string>

#include "absl/status/status.h"
#include "presence/v1/gateway.pb.h"

namespace presence {

// The one table from our errors to gRPC. The code is the status's own; ErrorInfo carries the
// reason, its name without prefix, and the metadata; RetryInfo says when to come again, BadRequest
// which field is meant.
grpc::Status ToGrpc(const absl::Status& status);

// The same for the frames of a gateway.
v1::CommandError ToCommandError(const absl::Status& status);

// "ETAG_MISMATCH" for ErrorReason::kEtagMismatch: the name of presence.v1.ErrorReason without its
// prefix.
std::string ReasonName(const absl::Status& status);

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_STATUS_MAP_H_
