#ifndef PRESENCE_CORE_MODEL_ERROR_H_
#define PRESENCE_CORE_MODEL_ERROR_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace presence {

class Etag;

// Why something failed, as one name that all protocols share. The numbers are those of
// presence.v1.ErrorReason (rpc/status_map.cc asserts it); what each becomes in gRPC, HTTP and SIP
// is written there.
enum class ErrorReason {
  kUnspecified = 0,
  kInvalidUri = 1,
  kInvalidField = 2,
  kBadDocument = 3,
  kDocumentTooLarge = 4,
  kUnknownEvent = 5,
  kUnsupportedContent = 6,
  kNotAcceptable = 7,
  kIntervalTooBrief = 8,
  kEtagMismatch = 9,
  kSubscriptionUnknown = 10,
  kUserUnknown = 11,
  kCseqTooOld = 12,
  kWatcherBlocked = 13,
  kScopeMissing = 14,
  kTokenExpired = 15,
  kTokenInvalid = 16,
  kRequestIdReused = 17,
  kQuotaExceeded = 18,
  kOverloaded = 19,
  kStorageUnavailable = 20,
  kDraining = 21,
  kNotServedYet = 22,
  kBadToken = 23,
  kPublicationUnknown = 24,
  kInternal = 25,
  kCoreUnreachable = 26,
  kDialogEventMismatch = 27,
};

// The only makers of error statuses. Each message names the value and, where there is one, the
// remedy; the reason and its values travel as payload, so nobody reads the text to find out what
// happened.
absl::Status InvalidUri(std::string_view field, std::string_view value, std::string_view why);
absl::Status InvalidField(std::string_view field, std::string_view why);
absl::Status BadDocument(std::string_view why, int line = 0, int column = 0);
absl::Status DocumentTooLarge(size_t size, size_t limit);
absl::Status UnknownEvent(std::string_view event, std::string_view allow_events);
absl::Status UnsupportedContent(std::string_view content_type, std::string_view accept);
absl::Status NotAcceptable(std::string_view accept);
absl::Status IntervalTooBrief(absl::Duration asked, absl::Duration minimum);
absl::Status EtagMismatch(std::string_view etag);
// `present` is the entity-tag of the document that is there; empty when there is none.
absl::Status DocumentMismatch(std::string_view name, std::string_view present);
absl::Status SubscriptionUnknown(std::string_view id);
absl::Status UserUnknown(std::string_view presentity);
absl::Status CseqTooOld(uint32_t cseq, uint32_t highest);
absl::Status WatcherBlocked(std::string_view watcher, std::string_view presentity);
absl::Status RequestIdReused(std::string_view request_id);
absl::Status QuotaExceeded(std::string_view limit, size_t allowed);
absl::Status Overloaded(std::string_view what, absl::Duration retry_after);
absl::Status StorageUnavailable(std::string_view why,
                                absl::Duration retry_after = absl::Seconds(1));
absl::Status Draining(absl::Duration retry_after);
absl::Status NotServedYet(std::string_view feature);
absl::Status BadToken(std::string_view field);
absl::Status PublicationUnknown(std::string_view what);
absl::Status DocumentUnknown(std::string_view name);
absl::Status Internal(std::string_view what);
absl::Status CoreUnreachable(std::string_view why, absl::Duration retry_after);
absl::Status DialogEventMismatch(std::string_view asked, std::string_view dialog);

// The reason a status of ours carries; kInternal for one made by somebody else, kUnspecified for
// OK.
ErrorReason ReasonOf(const absl::Status& status);

// The named values of a status, such as min_expires -> "60". Empty for OK.
std::map<std::string, std::string> MetadataOf(const absl::Status& status);

// When to try again, where the reason has it.
std::optional<absl::Duration> RetryAfterOf(const absl::Status& status);

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_ERROR_H_
