#include "cli/connection/reason_table.h"

#include "absl/strings/string_view.h"

namespace presence::cli {
namespace {

using enum ExitCode;

constexpr absl::string_view kSeeHelp = "{command} --help";
constexpr absl::string_view kSeeState = "presencectl presentity list {presentity}";
constexpr absl::string_view kRepeat = "{repeat}";
constexpr absl::string_view kStartServer =
    "presence-core dev  (starts one here), or name another with --server";

constexpr ReasonRow kReasons[] = {
    {v1::ERROR_REASON_INVALID_URI, kUsage, false,
     "write an address as user@host, sip:user@host or tel:+12025550100"},
    {v1::ERROR_REASON_INVALID_FIELD, kUsage, false, kSeeHelp},
    {v1::ERROR_REASON_BAD_DOCUMENT, kFailed, false,
     "presencectl publish {presentity} --open --dry-run  (a document that is well formed)"},
    {v1::ERROR_REASON_DOCUMENT_TOO_LARGE, kFailed, false,
     "publish less, or raise limits.max_document_bytes of the server"},
    {v1::ERROR_REASON_UNKNOWN_EVENT, kUsage, false,
     "presencectl version  (lists the event packages)"},
    {v1::ERROR_REASON_UNSUPPORTED_CONTENT, kUsage, false,
     "presencectl version -o json  (lists what each event package takes)"},
    {v1::ERROR_REASON_NOT_ACCEPTABLE, kFailed, false,
     "presencectl version -o json  (lists what each event package sends)"},
    {v1::ERROR_REASON_INTERVAL_TOO_BRIEF, kUsage, false, "ask for a longer time with --expires"},
    {v1::ERROR_REASON_ETAG_MISMATCH, kConflict, false,
     "presencectl presentity list {presentity} -o json  (shows the live entity-tags)"},
    {v1::ERROR_REASON_SUBSCRIPTION_UNKNOWN, kNotFoundOrFalse, false,
     "presencectl subscription list {presentity}"},
    {v1::ERROR_REASON_USER_UNKNOWN, kNotFoundOrFalse, false,
     "presencectl version -o json  (lists the domains served)"},
    {v1::ERROR_REASON_CSEQ_TOO_OLD, kConflict, false, "presencectl subscription list {presentity}"},
    {v1::ERROR_REASON_WATCHER_BLOCKED, kDenied, false,
     "presencectl watcher approve {presentity} {watcher}"},
    {v1::ERROR_REASON_SCOPE_MISSING, kDenied, false,
     "ask the operator for the scope that is missing"},
    {v1::ERROR_REASON_TOKEN_EXPIRED, kDenied, false, "ask the operator for a new token"},
    {v1::ERROR_REASON_TOKEN_INVALID, kDenied, false, "ask the operator for a token of this server"},
    {v1::ERROR_REASON_REQUEST_ID_REUSED, kConflict, false,
     "leave --request-id out: a new one is made for every call"},
    {v1::ERROR_REASON_QUOTA_EXCEEDED, kFailed, false, kSeeState},
    {v1::ERROR_REASON_OVERLOADED, kFailed, true, kRepeat},
    {v1::ERROR_REASON_STORAGE_UNAVAILABLE, kUnreachable, true, kRepeat},
    {v1::ERROR_REASON_DRAINING, kUnreachable, true, kRepeat},
    {v1::ERROR_REASON_NOT_SERVED_YET, kFailed, false,
     "presencectl version  (shows the server's version)"},
    {v1::ERROR_REASON_BAD_TOKEN, kFailed, false, "start anew without --resume"},
    {v1::ERROR_REASON_PUBLICATION_UNKNOWN, kNotFoundOrFalse, false, kSeeState},
    {v1::ERROR_REASON_INTERNAL, kFailed, false, "look into the server's log; it names the request"},
    {v1::ERROR_REASON_CORE_UNREACHABLE, kUnreachable, true, kStartServer},
    {v1::ERROR_REASON_DIALOG_EVENT_MISMATCH, kConflict, false,
     "presencectl subscription list {presentity}"},
};

constexpr CodeRow kCodes[] = {
    {grpc::CANCELLED, "CANCELLED", kFailed, true, kRepeat},
    {grpc::UNKNOWN, "UNKNOWN", kFailed, false, "look into the server's log"},
    {grpc::INVALID_ARGUMENT, "INVALID_ARGUMENT", kUsage, false, kSeeHelp},
    {grpc::DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", kTimeout, true, kRepeat},
    {grpc::NOT_FOUND, "NOT_FOUND", kNotFoundOrFalse, false, kSeeState},
    {grpc::ALREADY_EXISTS, "ALREADY_EXISTS", kConflict, false, kSeeState},
    {grpc::PERMISSION_DENIED, "PERMISSION_DENIED", kDenied, false, "ask the operator"},
    {grpc::RESOURCE_EXHAUSTED, "RESOURCE_EXHAUSTED", kFailed, true, kRepeat},
    {grpc::FAILED_PRECONDITION, "FAILED_PRECONDITION", kConflict, false, kSeeState},
    {grpc::ABORTED, "ABORTED", kConflict, false, kSeeState},
    {grpc::OUT_OF_RANGE, "OUT_OF_RANGE", kUsage, false, kSeeHelp},
    {grpc::UNIMPLEMENTED, "UNIMPLEMENTED", kFailed, false,
     "presencectl version  (is {server} a presence-core of this version?)"},
    {grpc::INTERNAL, "INTERNAL", kFailed, true, "look into the server's log"},
    {grpc::UNAVAILABLE, "UNAVAILABLE", kUnreachable, true, kStartServer},
    {grpc::DATA_LOSS, "DATA_LOSS", kFailed, false, "look into the server's log"},
    {grpc::UNAUTHENTICATED, "UNAUTHENTICATED", kDenied, false, "ask the operator for a token"},
};

}  // namespace

std::span<const ReasonRow> ReasonTable() { return kReasons; }
std::span<const CodeRow> CodeTable() { return kCodes; }

}  // namespace presence::cli
