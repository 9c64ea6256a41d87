#ifndef PRESENCE_CORE_ENGINE_LISTING_H_
#define PRESENCE_CORE_ENGINE_LISTING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "presence-core/model/document.h"
#include "presence-core/model/publication.h"
#include "presence-core/model/resource_key.h"
#include "presence-core/model/revision.h"
#include "presence-core/model/stored_document.h"
#include "presence-core/model/subscription.h"
#include "presence-core/model/watcher.h"

namespace presence {

// What readers of the engine ask and get. Values.

struct StateQuery {
  ResourceKey key;
  EventName event;                    // .winfo gives the watcher information
  std::optional<WatcherUri> watcher;  // none: everything, for administrators
  Etag etag;                          // only this publication
  std::string contact;                // only publications that mention this contact
};

struct StateView {
  Revision revision;
  std::optional<Document> document;
  SubscriptionState state = SubscriptionState::kActive;
};

struct AuthorizationView {
  SubscriptionState state = SubscriptionState::kPending;
  std::string_view because;
};

struct PublicationView {
  ResourceKey key;
  PublicationPtr publication;
};

struct DocumentView {
  PresentityUri owner;
  StoredDocumentPtr document;
};

struct SubscriptionView {
  ResourceKey key;
  SubscriptionPtr subscription;
  uint32_t cseq = 0;
  Revision notified;
  bool is_in_flight = false;
};

struct WatcherView {
  WatcherUri watcher;
  EventName event;
  SubscriptionState state = SubscriptionState::kActive;
  uint32_t subscriptions = 0;
  WatcherDecision decision = WatcherDecision::kNone;
};

struct WatcherRecordView {
  ResourceKey key;
  WatcherRecordPtr record;
};

// Where a list goes on: after this row. Lists go by resource, then by age; a row that comes or goes
// between two pages is shown or not, but no other row is shown twice or left out.
struct Cursor {
  ResourceKey key;
  uint64_t row = 0;  // ordinal or publication order within the resource; 0 is before the first
  std::string name;  // of a watcher or document
};

template <typename T>
struct Page {
  std::vector<T> rows;
  std::optional<Cursor> next;  // none on the last page
};

struct PublicationFilter {
  std::optional<PresentityUri> presentity;
  std::string domain;
  std::string event;
  size_t limit = 100;
  std::optional<Cursor> after;
};

struct DocumentFilter {
  std::optional<PresentityUri> owner;
  std::string domain;
  size_t limit = 100;
  std::optional<Cursor> after;
};

struct SubscriptionFilter {
  std::optional<PresentityUri> presentity;
  std::string domain;
  std::string event;  // with .winfo where meant
  std::optional<WatcherUri> watcher;
  std::optional<SubscriptionState> state;
  size_t limit = 100;
  std::optional<Cursor> after;
};

struct WatcherFilter {
  ResourceKey key;
  std::optional<WatcherUri> watcher;
  std::optional<SubscriptionState> state;
  size_t limit = 100;
  std::optional<Cursor> after;
};

struct WatcherRecordFilter {
  std::string domain;
  size_t limit = 100;
  std::optional<Cursor> after;
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_LISTING_H_
