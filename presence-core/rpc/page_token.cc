#include "presence-core/rpc/page_token.h"

#include <charconv>
#include <vector>

#include "absl/strings/escaping.h"
#include "presence-core/model/error.h"
#include "presence-core/model/request_key.h"

namespace presence {
namespace {

// A line feed cannot stand in an address, an event or a number.
constexpr char kSeparator = '\n';

std::string FilterHash(std::string_view filter) {
  const RequestKey key = RequestKey::Of({"page", filter});
  return std::string(reinterpret_cast<const char*>(key.bytes.data()), 8);
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == kSeparator) {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

}  // namespace

std::string ToPageToken(const std::optional<Cursor>& cursor, std::string_view filter) {
  if (!cursor.has_value()) return "";
  std::string token = FilterHash(filter);
  token += cursor->key.presentity.text();
  token += kSeparator;
  token += cursor->key.event.text();
  token += kSeparator;
  token += std::to_string(cursor->row);
  token += kSeparator;
  token += cursor->name;
  return absl::WebSafeBase64Escape(token);
}

absl::StatusOr<std::optional<Cursor>> FromPageToken(const std::string& token,
                                                    std::string_view filter) {
  if (token.empty()) return std::optional<Cursor>();
  std::string text;
  const std::string hash = FilterHash(filter);
  if (!absl::WebSafeBase64Unescape(token, &text) || !text.starts_with(hash)) {
    return BadToken("page_token");
  }
  const std::vector<std::string> parts = Split(text.substr(hash.size()));
  if (parts.size() != 4) return BadToken("page_token");
  std::optional<PresentityUri> presentity = PresentityUri::FromText(parts[0]);
  auto event = EventName::Parse(parts[1]);
  Cursor cursor;
  const char* end = parts[2].data() + parts[2].size();
  const auto [stop, error] = std::from_chars(parts[2].data(), end, cursor.row);
  if (!presentity.has_value() || !event.ok() || error != std::errc() || stop != end) {
    return BadToken("page_token");
  }
  cursor.key = {*std::move(presentity), *std::move(event)};
  cursor.name = parts[3];
  return std::optional<Cursor>(std::move(cursor));
}

}  // namespace presence
