#ifndef PRESENCE_CORE_MODEL_EVENT_NAME_H_
#define PRESENCE_CORE_MODEL_EVENT_NAME_H_

#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"

namespace presence {

// Name of an event package as it stands in an Event header, without `id`: "presence", "dialog;sla",
// "presence.winfo". Lower case. A value.
class EventName {
 public:
  EventName() = default;

  // Whether such a package exists is the registry's question; this checks the form (RFC 6665 §8.4:
  // a token, templates behind dots, and here the one parameter ";sla"). Errors: UNKNOWN_EVENT   no
  // such form, or a template upon a template: winfo of winfo is not served.
  static absl::StatusOr<EventName> Parse(std::string_view text);

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

  // True for "x.winfo" (RFC 3857 §4.1: a template-package applied to x).
  bool is_winfo() const;
  // The package without its template: "presence" for both "presence" and "presence.winfo".
  EventName base() const;
  // The watcher information package of this base package.
  EventName winfo() const;

  friend bool operator==(const EventName&, const EventName&) = default;
  friend auto operator<=>(const EventName&, const EventName&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const EventName& e) {
    return H::combine(std::move(h), e.text_);
  }

 private:
  explicit EventName(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace presence

#endif  // PRESENCE_CORE_MODEL_EVENT_NAME_H_
