#ifndef PRESENCE_CORE_MODEL_ANSWER_RECORD_H_
#define PRESENCE_CORE_MODEL_ANSWER_RECORD_H_

#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "presence-core/model/etag.h"
#include "presence-core/model/request_key.h"
#include "presence-core/model/state_kind.h"

namespace presence {

// The answer to a request that has no row of its own to remember it by: a removal and the request
// that made what was removed (kept 64 s, twice what a SIP transaction lives), a call with a
// request_id (kept 10 minutes), or an imported record (kept as long as it could be imported again).
// An immutable row.
struct AnswerRecord {
  RequestKey key;
  // Hash of what was asked: the same request_id with another content is refused. Empty: not
  // compared.
  RequestKey content;
  Etag etag;
  absl::Duration granted;
  absl::Time kept_until;
  // The kind of state that the request was about: an answer is kept as that is, or it would promise
  // what is gone. Not stored; nothing in a record that was read back.
  std::optional<StateKind> about;
};

using AnswerRecordPtr = std::shared_ptr<const AnswerRecord>;

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_ANSWER_RECORD_H_
