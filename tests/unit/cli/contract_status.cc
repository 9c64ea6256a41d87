#include "tests/unit/cli/contract_status.h"

#include "absl/strings/strip.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace presence::cli {
namespace {

// The contract's code for a reason, as the comments of errors.proto give it.
grpc::StatusCode CodeFor(v1::ErrorReason reason) {
  switch (reason) {
    case v1::ERROR_REASON_INTERVAL_TOO_BRIEF:
      return grpc::OUT_OF_RANGE;
    case v1::ERROR_REASON_ETAG_MISMATCH:
      return grpc::ABORTED;
    case v1::ERROR_REASON_SUBSCRIPTION_UNKNOWN:
    case v1::ERROR_REASON_USER_UNKNOWN:
    case v1::ERROR_REASON_PUBLICATION_UNKNOWN:
      return grpc::NOT_FOUND;
    case v1::ERROR_REASON_CSEQ_TOO_OLD:
    case v1::ERROR_REASON_DIALOG_EVENT_MISMATCH:
      return grpc::FAILED_PRECONDITION;
    case v1::ERROR_REASON_WATCHER_BLOCKED:
    case v1::ERROR_REASON_SCOPE_MISSING:
      return grpc::PERMISSION_DENIED;
    case v1::ERROR_REASON_TOKEN_EXPIRED:
    case v1::ERROR_REASON_TOKEN_INVALID:
      return grpc::UNAUTHENTICATED;
    case v1::ERROR_REASON_REQUEST_ID_REUSED:
      return grpc::ALREADY_EXISTS;
    case v1::ERROR_REASON_QUOTA_EXCEEDED:
    case v1::ERROR_REASON_OVERLOADED:
      return grpc::RESOURCE_EXHAUSTED;
    case v1::ERROR_REASON_STORAGE_UNAVAILABLE:
    case v1::ERROR_REASON_DRAINING:
    case v1::ERROR_REASON_CORE_UNREACHABLE:
      return grpc::UNAVAILABLE;
    case v1::ERROR_REASON_NOT_SERVED_YET:
      return grpc::UNIMPLEMENTED;
    case v1::ERROR_REASON_INTERNAL:
      return grpc::INTERNAL;
    default:
      return grpc::INVALID_ARGUMENT;
  }
}

}  // namespace

grpc::Status StatusFor(v1::ErrorReason reason, const std::string& message,
                       const std::map<std::string, std::string>& metadata,
                       std::optional<absl::Duration> retry_after) {
  google::rpc::ErrorInfo info;
  info.set_domain("presence");
  info.set_reason(std::string(absl::StripPrefix(v1::ErrorReason_Name(reason), "ERROR_REASON_")));
  info.mutable_metadata()->insert(metadata.begin(), metadata.end());
  google::rpc::Status wire;
  wire.set_code(CodeFor(reason));
  wire.set_message(message);
  wire.add_details()->PackFrom(info);
  if (retry_after) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(absl::ToInt64Seconds(*retry_after));
    wire.add_details()->PackFrom(retry);
  }
  return grpc::Status(CodeFor(reason), message, wire.SerializeAsString());
}

}  // namespace presence::cli
