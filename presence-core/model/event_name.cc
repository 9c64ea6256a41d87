#include "presence-core/model/event_name.h"

#include "absl/strings/ascii.h"
#include "presence-core/model/error.h"

namespace presence {
namespace {

constexpr std::string_view kWinfo = ".winfo";
constexpr std::string_view kSla = ";sla";

bool IsTokenChar(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("-.!%*_+`'~").find(c) != std::string_view::npos;
}

// RFC 6665 §8.4: event-package, then templates, each a token without dots and none of them empty.
bool IsDottedToken(std::string_view text) {
  if (text.empty() || text.size() > 64 || text.ends_with('.')) return false;
  char previous = '.';
  for (char c : text) {
    if (!IsTokenChar(c) || (c == '.' && previous == '.')) return false;
    previous = c;
  }
  return true;
}

}  // namespace

absl::StatusOr<EventName> EventName::Parse(std::string_view text) {
  std::string name(text);
  absl::AsciiStrToLower(&name);
  std::string_view rest = name;
  if (rest.ends_with(kWinfo)) rest.remove_suffix(kWinfo.size());
  if (rest.ends_with(kSla)) rest.remove_suffix(kSla.size());
  if (!IsDottedToken(rest) || rest.ends_with(kWinfo)) return UnknownEvent(text, "");
  return EventName(std::move(name));
}

bool EventName::is_winfo() const { return text_.ends_with(kWinfo); }

EventName EventName::base() const {
  return is_winfo() ? EventName(text_.substr(0, text_.size() - kWinfo.size())) : *this;
}

EventName EventName::winfo() const {
  return is_winfo() ? *this : EventName(std::string(text_).append(kWinfo));
}

}  // namespace presence
