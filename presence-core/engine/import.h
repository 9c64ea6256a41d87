#ifndef PRESENCE_CORE_ENGINE_IMPORT_H_
#define PRESENCE_CORE_ENGINE_IMPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/time/time.h"
#include "presence-core/model/dialog.h"
#include "presence-core/model/document.h"
#include "presence-core/model/etag.h"
#include "presence-core/model/event_name.h"
#include "presence-core/model/resource_key.h"
#include "presence-core/model/stored_document.h"
#include "presence-core/model/subscription.h"
#include "presence-core/model/watcher.h"

namespace presence {

// State that was held elsewhere - by another core, by Kamailio - as it comes in. Values; times are
// of Clock::Now().

struct ImportedPublication {
  Etag etag;
  Document document;
  absl::Time expires_at;
  absl::Time received_at;
  int32_t priority = 0;
  std::string sender;
};

// A dialog as its notifier left it. Its watcher goes on with the tags and the CSeq it knows, and is
// sent higher ones than it has seen.
struct ImportedSubscription {
  EventName event;  // with .winfo where it is one
  std::string event_id;
  WatcherUri watcher;
  SubscriptionState state = SubscriptionState::kActive;
  absl::Time expires_at;
  std::string local_tag;  // on the wire
  DialogParts dialog;
  uint32_t remote_cseq = 0;       // of the last SUBSCRIBE
  uint32_t local_cseq = 0;        // of the last NOTIFY
  uint32_t document_version = 0;  // of the last winfo document
};

struct ImportedWatcher {
  WatcherUri watcher;
  WatcherDecision decision = WatcherDecision::kNone;
  bool is_waiting = false;
  // When a waiting one is forgotten; without, as long from now as any other.
  std::optional<absl::Time> waits_until;
};

// Hard state; of the resource "presence" of its owner.
struct ImportedDocument {
  DocumentName name;
  Document document;
  Etag etag;  // empty: it gets one
  std::string file_uri;
  absl::Time created_at;
  absl::Time updated_at;
};

struct ImportCommand {
  ResourceKey key;
  std::variant<ImportedPublication, ImportedSubscription, ImportedWatcher, ImportedDocument> item;
  // Take it also where something else of the same name is here.
  bool replaces = false;
  bool is_dry_run = false;
  // Send the watcher of an imported subscription the present state.
  bool notifies = false;
};

enum class ImportOutcome {
  kTaken,
  kTakenBefore,  // it is here, or an import took it before, whatever became of it since
  kSkipped,      // its time is over, or something else of its name is here
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_IMPORT_H_
