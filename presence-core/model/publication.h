#ifndef PRESENCE_CORE_MODEL_PUBLICATION_H_
#define PRESENCE_CORE_MODEL_PUBLICATION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "presence-core/model/document.h"
#include "presence-core/model/etag.h"
#include "presence-core/model/request_key.h"

namespace presence {

// Names a publication through all its entity-tags ("ruid"). 0 is none.
using PublicationId = uint64_t;

// One publication as it is stored: an immutable row, replaced as a whole. Times are of
// Clock::Now().
struct Publication {
  PublicationId id = 0;
  Etag etag;
  Document document;
  absl::Time expires_at;
  absl::Time received_at;  // of the present document; a refresh keeps it
  int32_t priority = 0;
  std::string sender;

  // What makes a repeated request recognizable, and its answer repeatable.
  RequestKey first_request;
  RequestKey last_request;
  // Call-ID and From tag of the initial PUBLISH.
  RequestKey origin;
  // Lifetime that the last answer granted.
  absl::Duration granted;
  // The publisher has used an entity-tag of ours, so it has read an answer.
  bool is_answer_delivered = false;
};

using PublicationPtr = std::shared_ptr<const Publication>;

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_PUBLICATION_H_
