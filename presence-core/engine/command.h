#ifndef PRESENCE_CORE_ENGINE_COMMAND_H_
#define PRESENCE_CORE_ENGINE_COMMAND_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "presence-core/model/address_of_record.h"
#include "presence-core/model/dialog.h"
#include "presence-core/model/document.h"
#include "presence-core/model/etag.h"
#include "presence-core/model/event_name.h"
#include "presence-core/model/local_tag.h"
#include "presence-core/model/publication.h"
#include "presence-core/model/request_key.h"
#include "presence-core/model/revision.h"
#include "presence-core/model/stored_document.h"
#include "presence-core/model/subscription.h"
#include "presence-core/model/watcher.h"

namespace presence {

// What the engine can be asked, and what it answers. Values; made by rpc/convert, never by parsing
// here.

// Recognizes a call that comes again. `content` tells a repetition from a reuse with something
// else.
struct Idempotency {
  RequestKey
      sip;  // hash of method, Call-ID, From tag, CSeq, entity-tag and body; empty without SIP
  RequestKey request_id;  // hash of method and request_id; empty without
  RequestKey content;     // hash of all that was asked
};

// RFC 3903 §6. Without `etag` initial; with `etag` and no document refresh; with both modify; with
// an expiry of 0 remove.
struct PublishCommand {
  PresentityUri presentity;
  EventName event;
  Etag etag;
  std::optional<absl::Duration> expiry;
  std::optional<Document> document;
  std::string sender;
  int32_t priority = 0;
  Idempotency idempotency;
  RequestKey origin;  // hash of Call-ID and From tag
  bool validate_only = false;
};

struct PublishOutcome {
  Etag etag;
  absl::Duration granted;
  Revision revision;
  uint32_t watchers = 0;
};

// RFC 6665 §4.2.1. With `local_tag` in that dialog (and then presentity and watcher are the
// dialog's), else a new one; with an expiry of 0 a fetch or an end.
struct SubscribeCommand {
  PresentityUri presentity;
  EventName event;
  std::string event_id;
  WatcherUri watcher;
  // Another URI of the watcher, such as the tel one asserted beside a SIP one.
  std::optional<WatcherUri> alias;
  // As the To tag came; any text. Empty for an initial SUBSCRIBE.
  std::string local_tag;
  DialogParts dialog;
  uint32_t cseq = 0;
  std::optional<absl::Duration> expiry;
  bool has_accept = false;
  std::vector<std::string> accept;
};

struct SubscribeOutcome {
  LocalTag id;
  absl::Duration granted;
  SubscriptionState state = SubscriptionState::kActive;
  bool created = false;
  // The tag of the dialog where it is not the id (model/dialog.h).
  std::string adopted_tag;
};

// A native watcher: a subscription that lives as long as its stream. Its NOTIFYs go to `link`.
struct WatchCommand {
  PresentityUri presentity;
  EventName event;
  WatcherUri watcher;
  std::string link;
  // What the watcher knows; when it is current, no snapshot is sent.
  std::optional<Revision> known;
};

struct WatchOutcome {
  LocalTag id;
  SubscriptionState state = SubscriptionState::kActive;
  Revision revision;
  // `known` was the present revision: nothing is on its way.
  bool is_current = false;
};

struct DecideWatcherCommand {
  PresentityUri presentity;
  EventName event;
  WatcherUri watcher;
  WatcherDecision decision = WatcherDecision::kNone;
  Idempotency idempotency;
};

// Stores hard state of a presentity, in place of what has that name.
struct PutDocumentCommand {
  PresentityUri owner;
  DocumentName name;
  Document document;
  // What may be there now: this content only (not empty), any, nothing.
  Etag etag;
  bool may_replace = true;
  bool may_create = false;
  Idempotency idempotency;
};

struct RemoveDocumentCommand {
  PresentityUri owner;
  DocumentName name;
  Etag etag;  // only this content; empty: any
  Idempotency idempotency;
};

// A document that was loaded again at somebody's wish.
struct NamedDocument {
  DocumentName name;
  std::string file_uri;
};

// What a sweep over the watchers of a resource did.
struct RefreshOutcome {
  uint32_t examined = 0;
  uint32_t notified = 0;
  uint32_t terminated = 0;
};

// What Cleanup looks at.
struct CleanupScope {
  bool publications = true;
  bool subscriptions = true;
  bool waiting_watchers = true;
  bool answers = true;
  bool dry_run = false;  // count only
};

// Counts per kind of what Cleanup removed.
struct CleanupOutcome {
  uint64_t publications = 0;
  uint64_t subscriptions = 0;
  uint64_t waiting_watchers = 0;
  uint64_t answers = 0;
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_COMMAND_H_
