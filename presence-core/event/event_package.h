#ifndef PRESENCE_CORE_EVENT_EVENT_PACKAGE_H_
#define PRESENCE_CORE_EVENT_EVENT_PACKAGE_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "presence-core/model/address_of_record.h"
#include "presence-core/model/document.h"
#include "presence-core/model/event_name.h"
#include "presence-core/model/publication.h"

namespace presence {

// An event package says what the state of a presentity *is* for one kind of event (RFC 6665 §5.4):
// which documents may be published, how several of them make one state, and what is shown when
// there are none. It says nothing about who may watch (policy/), when watchers are told
// (engine/notifier) or how anything travels (rpc/, the gateway).
//
//      publications ──ValidatePublication──> stored ──Compose──> the state of the resource ──>
//      watchers
//                                             (none) ──NeutralState──┘
//
// The engine calls Compose outside its locks, once a revision at most, and only for two
// publications or more: one publication is the state as it stands, byte for byte. What a package
// returns depends on its arguments alone, so the same publications make the same state on every
// core and after every restart.
//
// `x.winfo` is no package of its own: EventRegistry makes it from x (event/winfo.h).

// Bounds of a lifetime, for publications or for subscriptions of one package.
struct Lifetimes {
  absl::Duration minimum = absl::Seconds(60);
  absl::Duration maximum = absl::Hours(24);
  absl::Duration fallback = absl::Hours(1);  // when nothing is asked for
};

// What watchers of a package may see before the presentity has decided about them.
enum class UnknownWatcher { kAllow, kPending, kBlock };

// The fixed facts of a package; defaults that the configuration may override.
struct EventTraits {
  EventName name;
  // Types that may be published and sent, lower case; the first is the default of NOTIFYs
  // (RFC 6665 §5.4.5). Never empty.
  std::vector<std::string> content_types;
  Lifetimes publication;
  Lifetimes subscription;
  UnknownWatcher unknown_watcher = UnknownWatcher::kAllow;
  // A publication keeps its first entity-tag for life ("dialog;sla") instead of a new one each
  // time.
  bool keeps_etag = false;
  // The RFCs' advice for the shortest time between two NOTIFYs of changes; 0 is at once.
  absl::Duration advised_notify_interval;
};

// Safe to call from any thread: implementations have no state after construction.
class EventPackage {
 public:
  virtual ~EventPackage() = default;

  virtual const EventTraits& traits() const = 0;

  // OK when the document may be published. The content type is already one of
  // traits().content_types. Errors: BAD_DOCUMENT   not well-formed, not of its format, or past a
  // limit; with line and column.
  virtual absl::Status ValidatePublication(const PresentityUri& presentity,
                                           const Document& document) const = 0;

  // The one state that these publications make. `publications` has at least two, strongest first:
  // where two say different things of the same thing, the earlier in the list wins. All of them
  // have been validated.
  struct Composed {
    Document document;
    size_t left_out = 0;  // elements that had no room
  };
  virtual Composed Compose(const PresentityUri& presentity,
                           std::span<const PublicationPtr> publications) const = 0;

  // The state of a presentity that publishes nothing; nothing at all when the package has none.
  virtual std::optional<Document> NeutralState(const PresentityUri& presentity) const = 0;

  // True when the document says something about this contact URI; for GetState by contact.
  virtual bool MentionsContact(const Document& document, std::string_view contact) const = 0;
};

}  // namespace presence

#endif  // PRESENCE_CORE_EVENT_EVENT_PACKAGE_H_
