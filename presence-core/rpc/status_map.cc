#include "presence-core/rpc/status_map.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "presence-core/model/error.h"
#include "presence/v1/errors.pb.h"

namespace presence {
namespace {

constexpr char kDomain[] = "presence";
constexpr std::string_view kPrefix = "ERROR_REASON_";

constexpr bool Same(ErrorReason ours, v1::ErrorReason theirs) {
  return static_cast<int>(ours) == static_cast<int>(theirs);
}
// The model cannot see the contract; here both are known, so here they are held to each other.
static_assert(Same(ErrorReason::kInvalidUri, v1::ERROR_REASON_INVALID_URI));
static_assert(Same(ErrorReason::kInvalidField, v1::ERROR_REASON_INVALID_FIELD));
static_assert(Same(ErrorReason::kBadDocument, v1::ERROR_REASON_BAD_DOCUMENT));
static_assert(Same(ErrorReason::kDocumentTooLarge, v1::ERROR_REASON_DOCUMENT_TOO_LARGE));
static_assert(Same(ErrorReason::kUnknownEvent, v1::ERROR_REASON_UNKNOWN_EVENT));
static_assert(Same(ErrorReason::kUnsupportedContent, v1::ERROR_REASON_UNSUPPORTED_CONTENT));
static_assert(Same(ErrorReason::kNotAcceptable, v1::ERROR_REASON_NOT_ACCEPTABLE));
static_assert(Same(ErrorReason::kIntervalTooBrief, v1::ERROR_REASON_INTERVAL_TOO_BRIEF));
static_assert(Same(ErrorReason::kEtagMismatch, v1::ERROR_REASON_ETAG_MISMATCH));
static_assert(Same(ErrorReason::kSubscriptionUnknown, v1::ERROR_REASON_SUBSCRIPTION_UNKNOWN));
static_assert(Same(ErrorReason::kUserUnknown, v1::ERROR_REASON_USER_UNKNOWN));
static_assert(Same(ErrorReason::kCseqTooOld, v1::ERROR_REASON_CSEQ_TOO_OLD));
static_assert(Same(ErrorReason::kWatcherBlocked, v1::ERROR_REASON_WATCHER_BLOCKED));
static_assert(Same(ErrorReason::kScopeMissing, v1::ERROR_REASON_SCOPE_MISSING));
static_assert(Same(ErrorReason::kTokenExpired, v1::ERROR_REASON_TOKEN_EXPIRED));
static_assert(Same(ErrorReason::kTokenInvalid, v1::ERROR_REASON_TOKEN_INVALID));
static_assert(Same(ErrorReason::kRequestIdReused, v1::ERROR_REASON_REQUEST_ID_REUSED));
static_assert(Same(ErrorReason::kQuotaExceeded, v1::ERROR_REASON_QUOTA_EXCEEDED));
static_assert(Same(ErrorReason::kOverloaded, v1::ERROR_REASON_OVERLOADED));
static_assert(Same(ErrorReason::kStorageUnavailable, v1::ERROR_REASON_STORAGE_UNAVAILABLE));
static_assert(Same(ErrorReason::kDraining, v1::ERROR_REASON_DRAINING));
static_assert(Same(ErrorReason::kNotServedYet, v1::ERROR_REASON_NOT_SERVED_YET));
static_assert(Same(ErrorReason::kBadToken, v1::ERROR_REASON_BAD_TOKEN));
static_assert(Same(ErrorReason::kPublicationUnknown, v1::ERROR_REASON_PUBLICATION_UNKNOWN));
static_assert(Same(ErrorReason::kInternal, v1::ERROR_REASON_INTERNAL));
static_assert(Same(ErrorReason::kCoreUnreachable, v1::ERROR_REASON_CORE_UNREACHABLE));
static_assert(Same(ErrorReason::kDialogEventMismatch, v1::ERROR_REASON_DIALOG_EVENT_MISMATCH));
static_assert(v1::ErrorReason_ARRAYSIZE == static_cast<int>(ErrorReason::kDialogEventMismatch) + 1,
              "a new reason needs its line in model/error.h");

void SetDuration(absl::Duration duration, google::protobuf::Duration& out) {
  const int64_t milliseconds = absl::ToInt64Milliseconds(duration);
  out.set_seconds(milliseconds / 1000);
  out.set_nanos(static_cast<int32_t>(milliseconds % 1000) * 1'000'000);
}

std::string TextOf(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

std::string ReasonName(const absl::Status& status) {
  const int number = static_cast<int>(ReasonOf(status));
  const std::string name = v1::ErrorReason_Name(static_cast<v1::ErrorReason>(number));
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(TextOf(status));
  google::rpc::ErrorInfo info;
  info.set_reason(ReasonName(status));
  info.set_domain(kDomain);
  const auto metadata = MetadataOf(status);
  info.mutable_metadata()->insert(metadata.begin(), metadata.end());
  details.add_details()->PackFrom(info);
  if (auto field = metadata.find("field"); field != metadata.end()) {
    google::rpc::BadRequest bad;
    auto* violation = bad.add_field_violations();
    violation->set_field(field->second);
    violation->set_description(TextOf(status));
    details.add_details()->PackFrom(bad);
  }
  if (auto retry_after = RetryAfterOf(status)) {
    google::rpc::RetryInfo retry;
    SetDuration(*retry_after, *retry.mutable_retry_delay());
    details.add_details()->PackFrom(retry);
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), TextOf(status),
                      details.SerializeAsString());
}

v1::CommandError ToCommandError(const absl::Status& status) {
  v1::CommandError error;
  error.set_reason(static_cast<int32_t>(ReasonOf(status)));
  error.set_message(TextOf(status));
  for (const auto& [key, value] : MetadataOf(status)) (*error.mutable_metadata())[key] = value;
  if (auto retry_after = RetryAfterOf(status)) {
    SetDuration(*retry_after, *error.mutable_retry_after());
  }
  return error;
}

}  // namespace presence
