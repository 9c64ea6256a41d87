#include "tests/simulation/winfo_text.h"

#include <fmt/format.h>

#include <charconv>

namespace presence::simulation {
namespace {

template <typename Number>
bool ReadNumber(std::string_view& text, char end, Number& number) {
  const size_t length = text.find(end);
  if (length == std::string_view::npos) return false;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + length, number);
  if (error != std::errc() || rest != text.data() + length) return false;
  text.remove_prefix(length + 1);
  return true;
}

}  // namespace

std::string WinfoLine(const WatcherUri& watcher, SubscriptionState status) {
  static constexpr const char* kStatus[] = {"", "active", "pending", "terminated", "waiting"};
  return fmt::format("{},{}", watcher.text(), kStatus[static_cast<int>(status)]);
}

bool IsGone(std::string_view line) { return line.ends_with(",terminated"); }

Document WinfoText::Write(const WinfoDocument& document) const {
  std::string text = fmt::format("{} {}:", document.is_full ? "full" : "partial", document.version);
  for (const WinfoEntry& entry : document.watchers) {
    text += fmt::format("{},{};", entry.id, WinfoLine(entry.watcher, entry.status));
  }
  return Document(std::string(kWinfoContentType), std::move(text));
}

std::optional<ParsedWinfo> ParseWinfo(std::string_view text) {
  ParsedWinfo parsed;
  parsed.is_full = text.starts_with("full ");
  if (!parsed.is_full && !text.starts_with("partial ")) return std::nullopt;
  text.remove_prefix(text.find(' ') + 1);
  if (!ReadNumber(text, ':', parsed.version)) return std::nullopt;
  while (!text.empty()) {
    uint64_t id = 0;
    if (!ReadNumber(text, ',', id)) return std::nullopt;
    const size_t length = text.find(';');
    if (length == std::string_view::npos) return std::nullopt;
    parsed.watchers[id] = std::string(text.substr(0, length));
    text.remove_prefix(length + 1);
  }
  return parsed;
}

}  // namespace presence::simulation
