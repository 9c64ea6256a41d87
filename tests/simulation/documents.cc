#include "tests/simulation/documents.h"

#include <fmt/format.h>

#include <charconv>

#include "presence-core/packages/xml/xml_element.h"

namespace presence::simulation {
namespace {

constexpr std::string_view kPidf = "urn:ietf:params:xml:ns:pidf";
constexpr std::string_view kWatcherInfo = "urn:ietf:params:xml:ns:watcherinfo";
constexpr XmlLimits kLimits = {.max_bytes = 1 << 20};

template <typename Number>
bool ReadNumber(std::string_view& text, char end, Number& number) {
  const size_t length = text.find(end);
  if (length == std::string_view::npos) return false;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + length, number);
  if (error != std::errc() || rest != text.data() + length) return false;
  text.remove_prefix(length + 1);
  return true;
}

template <typename Number>
bool ReadNumber(const std::string* text, Number& number) {
  if (text == nullptr) return false;
  const std::string line = *text + ";";
  std::string_view rest = line;
  return ReadNumber(rest, ';', number);
}

std::optional<ReadWinfo> WinfoOfText(std::string_view text) {
  ReadWinfo read;
  read.is_full = text.starts_with("full ");
  if (!read.is_full && !text.starts_with("partial ")) return std::nullopt;
  text.remove_prefix(text.find(' ') + 1);
  if (!ReadNumber(text, ':', read.version)) return std::nullopt;
  while (!text.empty()) {
    uint64_t id = 0;
    if (!ReadNumber(text, ',', id)) return std::nullopt;
    const size_t length = text.find(';');
    if (length == std::string_view::npos) return std::nullopt;
    read.watchers[id] = std::string(text.substr(0, length));
    text.remove_prefix(length + 1);
  }
  return read;
}

std::optional<ReadWinfo> WinfoOfXml(std::string_view text) {
  const absl::StatusOr<XmlElement> root = ParseXml(text, kLimits);
  if (!root.ok() || !root->Is(kWatcherInfo, "watcherinfo")) return std::nullopt;
  ReadWinfo read;
  const std::string* state = root->Find("", "state");
  if (state == nullptr || !ReadNumber(root->Find("", "version"), read.version)) return std::nullopt;
  read.is_full = *state == "full";
  for (const XmlElement* list : root->Elements()) {
    for (const XmlElement* watcher : list->Elements()) {
      uint64_t id = 0;
      const std::string* status = watcher->Find("", "status");
      std::string uri = watcher->Text();
      if (status == nullptr || !ReadNumber(watcher->Find("", "id"), id)) return std::nullopt;
      if (!uri.starts_with("sip:")) return std::nullopt;
      read.watchers[id] = fmt::format("{},{}", uri.substr(4), *status);
    }
  }
  return read;
}

}  // namespace

std::string StateOf(std::string_view body) {
  if (!body.starts_with('<')) return std::string(body);
  const absl::StatusOr<XmlElement> root = ParseXml(body, kLimits);
  if (!root.ok() || !root->Is(kPidf, "presence")) return "unreadable";
  std::string state;
  for (const XmlElement* child : root->Elements()) {
    const std::string* id = child->Find("", "id");
    if (!child->Is(kPidf, "tuple") || id == nullptr) continue;
    if (!state.empty()) state += "+";
    state += *id;
  }
  // PresencePackage::NeutralState has a tuple, of this name.
  return state.empty() || state == "closed" ? "none" : state;
}

std::string PidfOf(std::string_view presentity, std::string_view text) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence xmlns=\"{}\" "
      "entity=\"sip:{}@example.com\"><tuple id=\"{}\"><status><basic>open</basic></status></tuple>"
      "</presence>\n",
      kPidf, presentity, text);
}

std::optional<ReadWinfo> WinfoOf(std::string_view body) {
  return body.starts_with('<') ? WinfoOfXml(body) : WinfoOfText(body);
}

std::string WinfoLine(const WatcherUri& watcher, SubscriptionState status) {
  static constexpr const char* kStatus[] = {"", "active", "pending", "terminated", "waiting"};
  return fmt::format("{},{}", watcher.text(), kStatus[static_cast<int>(status)]);
}

std::string WinfoTable::Take(const ReadWinfo& winfo) {
  std::string wrong;
  if (!version_.has_value()) {
    if (!winfo.is_full) wrong = fmt::format("partial version {} at first", winfo.version);
  } else if (winfo.version <= *version_ || (winfo.version > *version_ + 1 && !winfo.is_full)) {
    wrong = fmt::format("{} version {} after version {}", winfo.is_full ? "full" : "partial",
                        winfo.version, *version_);
  }
  version_ = winfo.version;
  if (winfo.is_full) watchers_.clear();
  for (const auto& [id, line] : winfo.watchers) {
    if (line.ends_with(",terminated")) {
      watchers_.erase(id);
    } else {
      watchers_[id] = line;
    }
  }
  return wrong;
}

WinfoFormat::Written WinfoText::Write(const WinfoDocument& document, size_t max_bytes) const {
  std::string text = fmt::format("{} {}:", document.is_full ? "full" : "partial", document.version);
  size_t written = 0;
  for (const WinfoEntry& entry : document.watchers) {
    const std::string line =
        fmt::format("{},{};", entry.id, WinfoLine(entry.watcher, entry.status));
    if (written > 0 && text.size() + line.size() > max_bytes) break;
    text += line;
    ++written;
  }
  return {Document(std::string(kWinfoContentType), std::move(text)), written};
}

}  // namespace presence::simulation
