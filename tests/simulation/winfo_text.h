#ifndef PRESENCE_TESTS_SIMULATION_WINFO_TEXT_H_
#define PRESENCE_TESTS_SIMULATION_WINFO_TEXT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "presence-core/event/winfo.h"

namespace presence::simulation {

// Watcher information as a line of text, with the ids that RFC 3858 documents have:
// "full 3:7,bob@example.com,active;9,carol@example.com,pending;".
class WinfoText final : public WinfoFormat {
 public:
  Document Write(const WinfoDocument& document) const override;
};

struct ParsedWinfo {
  uint32_t version = 0;
  bool is_full = false;
  std::map<uint64_t, std::string> watchers;  // id -> "bob@example.com,active"
};
std::optional<ParsedWinfo> ParseWinfo(std::string_view text);

// How a watcher stands in the text.
std::string WinfoLine(const WatcherUri& watcher, SubscriptionState status);
// An element that says its watcher is gone.
bool IsGone(std::string_view line);

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_WINFO_TEXT_H_
