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

}  // namespace

absl::StatusOr<EventName> EventName::Parse(std::string_view text) {
  std::string name(text);
  absl::AsciiStrToLower(&name);
  std::string_view rest = name;
  if (rest.ends_with(kWinfo)) rest.remove_suffix(kWinfo.size());
  if (rest.ends_with(kSla)) rest.remove_suffix(kSla.size());
  bool is_token = !rest.empty() && rest.size() <= 64 && !rest.ends_with(kWinfo);
  for (char c : rest) is_token = is_token && IsTokenChar(c);
  if (!is_token) return UnknownEvent(text, "");
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
