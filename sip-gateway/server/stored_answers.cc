#include "sip-gateway/server/stored_answers.h"

namespace presence::sip {

std::optional<StoredAnswer> ToStored(const Answer& answer) {
  if (!answer.list.empty()) return std::nullopt;
  StoredAnswer stored;
  stored.status = static_cast<uint16_t>(StatusOf(answer));
  stored.detail = static_cast<uint16_t>(answer.kind);
  stored.seconds = answer.seconds;
  if (!stored.SetTags(answer.to_tag, answer.etag)) return std::nullopt;
  return stored;
}

Answer FromStored(const StoredAnswer& stored) {
  Answer answer;
  answer.kind = static_cast<AnswerKind>(stored.detail);
  answer.status = stored.status;
  answer.seconds = stored.seconds;
  answer.to_tag = stored.to_tag();
  answer.etag = stored.etag();
  return answer;
}

}  // namespace presence::sip
