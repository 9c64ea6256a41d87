#include "sip-gateway/translate/sip_status.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace presence::sip {
namespace {

const std::string* Find(const v1::CommandError& error, const char* key) {
  auto it = error.metadata().find(key);
  return it == error.metadata().end() ? nullptr : &it->second;
}

// "a,b" or "a, b" as a header writes a list.
std::string AsHeaderList(const std::string& list) {
  std::vector<absl::string_view> items = absl::StrSplit(list, ',', absl::SkipWhitespace());
  for (absl::string_view& item : items) item = absl::StripAsciiWhitespace(item);
  return absl::StrJoin(items, ", ");
}

// RFC 3261 20.33: delta-seconds, and a fraction of one is waited for too. 0 would invite everybody
// back at once.
uint32_t RetryAfterSeconds(const v1::CommandError& error) {
  if (!error.has_retry_after()) return kDefaultRetryAfterSeconds;
  const int64_t seconds = error.retry_after().seconds() + (error.retry_after().nanos() > 0 ? 1 : 0);
  return static_cast<uint32_t>(std::clamp<int64_t>(seconds, 1, 3600));
}

}  // namespace

AnswerKind KindOf(v1::ErrorReason reason) {
  switch (reason) {
    case v1::ERROR_REASON_INVALID_URI:
      return AnswerKind::kBadUri;
    case v1::ERROR_REASON_INVALID_FIELD:
    case v1::ERROR_REASON_BAD_TOKEN:
      return AnswerKind::kBadField;
    case v1::ERROR_REASON_BAD_DOCUMENT:
      return AnswerKind::kBadDocument;
    case v1::ERROR_REASON_DOCUMENT_TOO_LARGE:
      return AnswerKind::kDocumentTooLarge;
    case v1::ERROR_REASON_UNKNOWN_EVENT:
      return AnswerKind::kBadEvent;
    case v1::ERROR_REASON_UNSUPPORTED_CONTENT:
      return AnswerKind::kUnsupportedContent;
    case v1::ERROR_REASON_NOT_ACCEPTABLE:
      return AnswerKind::kNotAcceptable;
    case v1::ERROR_REASON_INTERVAL_TOO_BRIEF:
      return AnswerKind::kIntervalTooBrief;
    case v1::ERROR_REASON_ETAG_MISMATCH:
      return AnswerKind::kEtagMismatch;
    case v1::ERROR_REASON_SUBSCRIPTION_UNKNOWN:
      return AnswerKind::kNoSuchDialog;
    case v1::ERROR_REASON_USER_UNKNOWN:
      return AnswerKind::kDomainNotServed;
    case v1::ERROR_REASON_CSEQ_TOO_OLD:
      return AnswerKind::kCseqTooOld;
    case v1::ERROR_REASON_WATCHER_BLOCKED:
      return AnswerKind::kWatcherBlocked;
    case v1::ERROR_REASON_SCOPE_MISSING:
      return AnswerKind::kForbidden;
    case v1::ERROR_REASON_TOKEN_EXPIRED:
    case v1::ERROR_REASON_TOKEN_INVALID:
      return AnswerKind::kUnauthorized;
    case v1::ERROR_REASON_QUOTA_EXCEEDED:
    case v1::ERROR_REASON_OVERLOADED:
      return AnswerKind::kOverloaded;
    case v1::ERROR_REASON_STORAGE_UNAVAILABLE:
    case v1::ERROR_REASON_DRAINING:
      return AnswerKind::kUnavailable;
    case v1::ERROR_REASON_CORE_UNREACHABLE:
      return AnswerKind::kCoreUnreachable;
    case v1::ERROR_REASON_NOT_SERVED_YET:
      return AnswerKind::kNotServedYet;
    case v1::ERROR_REASON_PUBLICATION_UNKNOWN:
      return AnswerKind::kPublicationUnknown;
    case v1::ERROR_REASON_DIALOG_EVENT_MISMATCH:
      return AnswerKind::kEventMismatch;
    case v1::ERROR_REASON_REQUEST_ID_REUSED:
    case v1::ERROR_REASON_INTERNAL:
    case v1::ERROR_REASON_UNSPECIFIED:
    default:
      return AnswerKind::kInternal;
  }
}

Answer AnswerToError(const v1::CommandError& error) {
  Answer answer{.kind = KindOf(static_cast<v1::ErrorReason>(error.reason()))};
  switch (StatusOf(answer)) {
    case 415:
      if (const std::string* accept = Find(error, "accept")) answer.list = AsHeaderList(*accept);
      break;
    case 489:
      if (const std::string* events = Find(error, "allow_events")) {
        answer.list = AsHeaderList(*events);
      }
      break;
    case 423: {
      // RFC 3261 21.4.17: a 423 without Min-Expires is none, so an error without it is our defect.
      const std::string* minimum = Find(error, "min_expires");
      if (minimum == nullptr || !absl::SimpleAtoi(*minimum, &answer.seconds)) {
        answer.kind = AnswerKind::kInternal;
      }
      break;
    }
    case 503:
      answer.seconds = RetryAfterSeconds(error);
      break;
    default:
      break;
  }
  return answer;
}

}  // namespace presence::sip
