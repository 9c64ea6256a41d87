#include "sip-gateway/translate/publish.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "sip-gateway/translate/abseil_text.h"
#include "sip-gateway/translate/sip_status.h"

namespace presence::sip {
namespace {

// RFC 3261 20.12: several encodings were applied one after the other; identity is none.
bool IsEncoded(const Message& message) {
  const std::vector<std::string_view> encodings = message.content_encodings();
  return std::any_of(encodings.begin(), encodings.end(), [](std::string_view encoding) {
    return !absl::EqualsIgnoreCase(Abseil(encoding), "identity");
  });
}

std::string ContentTypeOf(const Message& message) {
  const std::optional<MediaType> type = message.content_type();
  // RFC 2046 4.5.1: bytes of which nothing is said. No package takes them, so the answer is a 415
  // with Accept, which tells the phone what it should have said.
  if (!type.has_value()) return "application/octet-stream";
  return absl::AsciiStrToLower(Abseil(type->type));
}

// RFC 3903 6 steps 1 to 4 come before the body's own; a refusal for them stands.
bool IsAboutBody(AnswerKind kind) {
  return kind == AnswerKind::kPublished || kind == AnswerKind::kBadDocument ||
         kind == AnswerKind::kBadField || kind == AnswerKind::kUnsupportedContent ||
         kind == AnswerKind::kDocumentTooLarge;
}

}  // namespace

v1::PublishRequest ToPublishRequest(const Message& publish, const Trust& trust) {
  v1::PublishRequest request;
  request.set_presentity(std::string(publish.request_uri_text()));
  if (const auto event = publish.event()) request.set_event(std::string(event->type));
  if (const auto etag = publish.sip_if_match()) request.set_etag(std::string(*etag));
  if (const auto expires = publish.expires()) request.mutable_expiry()->set_seconds(*expires);
  request.set_sender(SenderOf(publish, trust));
  if (IsEncoded(publish)) {
    request.set_validate_only(true);
    return request;
  }
  if (!publish.body().empty()) {
    request.mutable_document()->set_content_type(ContentTypeOf(publish));
    request.mutable_document()->set_body(std::string(publish.body()));
  }
  v1::SipRequestId& sip = *request.mutable_sip();
  sip.set_call_id(std::string(publish.call_id()));
  sip.set_from_tag(std::string(publish.from().tag));
  sip.set_cseq(publish.cseq());
  return request;
}

Answer AnswerToPublish(const Message& publish, const v1::CommandReply& reply) {
  Answer answer;
  if (reply.has_publish()) {
    answer.kind = AnswerKind::kPublished;
    answer.seconds = static_cast<uint32_t>(reply.publish().expiry().seconds());
    answer.etag = reply.publish().etag();
  } else if (reply.has_error()) {
    answer = AnswerToError(reply.error());
  } else {
    answer.kind = AnswerKind::kInternal;
  }
  if (IsAboutBody(answer.kind) && IsEncoded(publish)) {
    return {.kind = AnswerKind::kUnsupportedEncoding};
  }
  return answer;
}

}  // namespace presence::sip
