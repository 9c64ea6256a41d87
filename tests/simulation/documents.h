#ifndef PRESENCE_TESTS_SIMULATION_DOCUMENTS_H_
#define PRESENCE_TESTS_SIMULATION_DOCUMENTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "presence-core/event/winfo.h"

namespace presence::simulation {

// Documents as the checker reads them. A seed uses either the packages of production, whose
// documents are XML, or ones of one line of text, which make a history easy to read. What the
// checker compares is the same for both.

// What a document of the presence package says: the texts published, strongest first, joined with
// "+"; "none" when nobody publishes. In PIDF each text is the id of a tuple.
std::string StateOf(std::string_view body);

// What a phone publishes for this text.
std::string PidfOf(std::string_view presentity, std::string_view text);

// Watcher information, of either kind.
struct ReadWinfo {
  uint32_t version = 0;
  bool is_full = false;
  std::map<uint64_t, std::string> watchers;  // id -> "bob@example.com,active"
};
std::optional<ReadWinfo> WinfoOf(std::string_view body);

// How a watcher stands in it.
std::string WinfoLine(const WatcherUri& watcher, SubscriptionState status);

// What a watcher of watcher information knows: full documents and partial ones merged, as RFC 3858
// §4 says.
class WinfoTable {
 public:
  // Takes the next document. What is wrong with its coming next; empty when nothing is: versions
  // rise by one, and only a full document may follow a gap.
  std::string Take(const ReadWinfo& winfo);
  const std::map<uint64_t, std::string>& watchers() const { return watchers_; }

 private:
  std::optional<uint32_t> version_;
  std::map<uint64_t, std::string> watchers_;
};

// Watcher information as a line of text, with the ids that RFC 3858 documents have:
// "full 3:7,bob@example.com,active;9,carol@example.com,pending;".
class WinfoText final : public WinfoFormat {
 public:
  Written Write(const WinfoDocument& document, size_t max_bytes) const override;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_DOCUMENTS_H_
