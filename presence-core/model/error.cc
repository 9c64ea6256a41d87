#include "presence-core/model/error.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "absl/strings/cord.h"
#include "presence-core/model/utf8.h"

namespace presence {
namespace {

constexpr char kReasonUrl[] = "presence/reason";
constexpr std::string_view kMetadataPrefix = "presence/metadata/";
constexpr char kRetryAfterUrl[] = "presence/retry-after-ms";

using Metadata = std::initializer_list<std::pair<std::string_view, std::string>>;

absl::Status Make(absl::StatusCode code, ErrorReason reason, std::string message,
                  Metadata metadata = {}) {
  absl::Status status(code, message);
  status.SetPayload(kReasonUrl, absl::Cord(std::to_string(static_cast<int>(reason))));
  for (const auto& [key, value] : metadata) {
    status.SetPayload(fmt::format("{}{}", kMetadataPrefix, key), absl::Cord(value));
  }
  return status;
}

absl::Status MakeRetryable(absl::StatusCode code, ErrorReason reason, std::string message,
                           absl::Duration retry_after) {
  absl::Status status = Make(code, reason, std::move(message));
  status.SetPayload(kRetryAfterUrl,
                    absl::Cord(std::to_string(absl::ToInt64Milliseconds(retry_after))));
  return status;
}

std::optional<int64_t> NumberPayload(const absl::Status& status, const char* url) {
  const auto payload = status.GetPayload(url);
  if (!payload.has_value()) return std::nullopt;
  const std::string text(*payload);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

absl::Status InvalidUri(std::string_view field, std::string_view value, std::string_view why) {
  return Make(absl::StatusCode::kInvalidArgument, ErrorReason::kInvalidUri,
              fmt::format("{} \"{}\" is not usable: {}", field, Printable(value, 200), why),
              {{"field", std::string(field)}});
}

absl::Status InvalidField(std::string_view field, std::string_view why) {
  return Make(absl::StatusCode::kInvalidArgument, ErrorReason::kInvalidField,
              fmt::format("{}: {}", field, why), {{"field", std::string(field)}});
}

absl::Status BadDocument(std::string_view why, int line, int column) {
  const std::string text = Printable(why, 300);
  if (line <= 0) {
    return Make(absl::StatusCode::kInvalidArgument, ErrorReason::kBadDocument, text);
  }
  return Make(absl::StatusCode::kInvalidArgument, ErrorReason::kBadDocument,
              fmt::format("line {}, column {}: {}", line, column, text),
              {{"line", fmt::format("{}", line)}, {"column", fmt::format("{}", column)}});
}

absl::Status DocumentTooLarge(size_t size, size_t limit) {
  return Make(absl::StatusCode::kInvalidArgument, ErrorReason::kDocumentTooLarge,
              fmt::format("the document has {} bytes; at most {} are taken", size, limit),
              {{"limit", fmt::format("{}", limit)}});
}

absl::Status UnknownEvent(std::string_view event, std::string_view allow_events) {
  std::string message = fmt::format("no event package \"{}\"", Printable(event, 100));
  if (!allow_events.empty()) message.append("; served are: ").append(allow_events);
  return Make(absl::StatusCode::kInvalidArgument, ErrorReason::kUnknownEvent, std::move(message),
              {{"allow_events", std::string(allow_events)}});
}

absl::Status UnsupportedContent(std::string_view content_type, std::string_view accept) {
  return Make(absl::StatusCode::kInvalidArgument, ErrorReason::kUnsupportedContent,
              fmt::format("content type \"{}\" is not published here; taken are: {}",
                          Printable(content_type, 100), accept),
              {{"accept", std::string(accept)}});
}

absl::Status NotAcceptable(std::string_view accept) {
  return Make(absl::StatusCode::kInvalidArgument, ErrorReason::kNotAcceptable,
              fmt::format("the watcher accepts none of: {}", accept),
              {{"accept", std::string(accept)}});
}

absl::Status IntervalTooBrief(absl::Duration asked, absl::Duration minimum) {
  return Make(absl::StatusCode::kOutOfRange, ErrorReason::kIntervalTooBrief,
              fmt::format("a lifetime of {} s is too short; ask for at least {} s",
                          absl::ToInt64Seconds(asked), absl::ToInt64Seconds(minimum)),
              {{"min_expires", fmt::format("{}", absl::ToInt64Seconds(minimum))}});
}

absl::Status EtagMismatch(std::string_view etag) {
  return Make(
      absl::StatusCode::kAborted, ErrorReason::kEtagMismatch,
      fmt::format(
          "no live publication has the entity-tag \"{}\"; publish the full state without one",
          Printable(etag, 100)),
      {{"etag", Printable(etag, 100)}});
}

absl::Status DocumentMismatch(std::string_view name, std::string_view present) {
  const std::string why =
      present.empty() ? fmt::format("there is no document \"{}\"; create it", Printable(name, 64))
                      : fmt::format(
                            "the document \"{}\" is there with the entity-tag \"{}\"; read it, "
                            "and change what you read",
                            Printable(name, 64), Printable(present, 100));
  return Make(absl::StatusCode::kAborted, ErrorReason::kEtagMismatch, why,
              {{"etag", Printable(present, 100)}});
}

absl::Status SubscriptionUnknown(std::string_view id) {
  return Make(absl::StatusCode::kNotFound, ErrorReason::kSubscriptionUnknown,
              fmt::format("no subscription \"{}\"; subscribe anew", Printable(id, 100)));
}

absl::Status UserUnknown(std::string_view presentity) {
  return Make(absl::StatusCode::kNotFound, ErrorReason::kUserUnknown,
              fmt::format("the domain of \"{}\" is not served here", Printable(presentity, 200)));
}

absl::Status CseqTooOld(uint32_t cseq, uint32_t highest) {
  return Make(absl::StatusCode::kFailedPrecondition, ErrorReason::kCseqTooOld,
              fmt::format("CSeq {} is not above {}", cseq, highest),
              {{"highest", fmt::format("{}", highest)}});
}

absl::Status WatcherBlocked(std::string_view watcher, std::string_view presentity) {
  return Make(absl::StatusCode::kPermissionDenied, ErrorReason::kWatcherBlocked,
              fmt::format("{} may not watch {}", Printable(watcher), Printable(presentity)));
}

absl::Status RequestIdReused(std::string_view request_id) {
  return Make(absl::StatusCode::kAlreadyExists, ErrorReason::kRequestIdReused,
              fmt::format("request_id \"{}\" came before with another content; use a new one",
                          Printable(request_id, 64)));
}

absl::Status QuotaExceeded(std::string_view limit, size_t allowed) {
  return Make(absl::StatusCode::kResourceExhausted, ErrorReason::kQuotaExceeded,
              fmt::format("{}: {} are allowed", limit, allowed), {{"limit", std::string(limit)}});
}

absl::Status Overloaded(std::string_view what, absl::Duration retry_after) {
  return MakeRetryable(absl::StatusCode::kResourceExhausted, ErrorReason::kOverloaded,
                       std::string(what), retry_after);
}

absl::Status StorageUnavailable(std::string_view why, absl::Duration retry_after) {
  return MakeRetryable(absl::StatusCode::kUnavailable, ErrorReason::kStorageUnavailable,
                       fmt::format("storage: {}", why), retry_after);
}

absl::Status Draining(absl::Duration retry_after) {
  return MakeRetryable(absl::StatusCode::kUnavailable, ErrorReason::kDraining,
                       "the server is stopping", retry_after);
}

absl::Status CoreUnreachable(std::string_view why, absl::Duration retry_after) {
  return MakeRetryable(absl::StatusCode::kUnavailable, ErrorReason::kCoreUnreachable,
                       std::string(why), retry_after);
}

absl::Status NotServedYet(std::string_view feature) {
  return Make(absl::StatusCode::kUnimplemented, ErrorReason::kNotServedYet,
              fmt::format("{} is not served by this version", feature),
              {{"feature", std::string(feature)}});
}

absl::Status BadToken(std::string_view field) {
  return Make(absl::StatusCode::kInvalidArgument, ErrorReason::kBadToken,
              fmt::format("{} was not made by this server for this request; leave it out", field),
              {{"field", std::string(field)}});
}

absl::Status PublicationUnknown(std::string_view what) {
  return Make(absl::StatusCode::kNotFound, ErrorReason::kPublicationUnknown,
              fmt::format("no publication with {}", Printable(what, 200)));
}

absl::Status DocumentUnknown(std::string_view name) {
  return Make(absl::StatusCode::kNotFound, ErrorReason::kPublicationUnknown,
              fmt::format("there is no document \"{}\"", Printable(name, 64)));
}

absl::Status Internal(std::string_view what) {
  return Make(absl::StatusCode::kInternal, ErrorReason::kInternal, std::string(what));
}

absl::Status DialogEventMismatch(std::string_view asked, std::string_view dialog) {
  return Make(
      absl::StatusCode::kFailedPrecondition, ErrorReason::kDialogEventMismatch,
      fmt::format("the dialog is for \"{}\", not for \"{}\"; subscribe in a dialog of its own",
                  dialog, Printable(asked, 100)));
}

ErrorReason ReasonOf(const absl::Status& status) {
  if (status.ok()) return ErrorReason::kUnspecified;
  const std::optional<int64_t> number = NumberPayload(status, kReasonUrl);
  return number.has_value() ? static_cast<ErrorReason>(*number) : ErrorReason::kInternal;
}

std::map<std::string, std::string> MetadataOf(const absl::Status& status) {
  std::map<std::string, std::string> metadata;
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& value) {
    const std::string url(type_url);
    if (url.starts_with(kMetadataPrefix)) {
      metadata[url.substr(kMetadataPrefix.size())] = std::string(value);
    }
  });
  return metadata;
}

std::optional<absl::Duration> RetryAfterOf(const absl::Status& status) {
  const std::optional<int64_t> milliseconds = NumberPayload(status, kRetryAfterUrl);
  if (!milliseconds.has_value()) return std::nullopt;
  return absl::Milliseconds(*milliseconds);
}

}  // namespace presence
