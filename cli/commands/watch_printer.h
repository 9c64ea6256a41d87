#ifndef PRESENCE_CLI_COMMANDS_WATCH_PRINTER_H_
#define PRESENCE_CLI_COMMANDS_WATCH_PRINTER_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "cli/connection/session.h"
#include "presence/v1/presence.pb.h"

namespace presence::cli {

// Prints the items of a watch stream, one line a change, and counts them for the summary at the
// end.
class WatchPrinter final {
 public:
  explicit WatchPrinter(Session& session) : session_(session) {}

  // Prints `item`; heartbeats print nothing.
  void Print(const v1::WatchResponse& item);

  // A new stream begins: what comes before its end-of-snapshot mark is a snapshot again.
  void StreamBegins() { in_snapshot_ = true; }

  uint64_t states() const { return states_; }
  // How many targets have ended for good, and how many of them because they were refused.
  std::size_t terminated() const { return terminated_.size(); }
  std::size_t rejected() const { return rejected_; }

 private:
  void PrintState(const v1::WatchedState& state);
  void PrintStatus(const v1::WatchedStatus& status);
  // "snapshot" or the time of day, then the target: what every line begins with.
  std::string Beginning(const std::string& presentity, const std::string& event) const;

  Session& session_;
  bool in_snapshot_ = true;
  uint64_t states_ = 0;
  std::set<std::pair<std::string, std::string>> undecided_;
  std::set<std::pair<std::string, std::string>> terminated_;
  std::size_t rejected_ = 0;
};

}  // namespace presence::cli

#endif  // PRESENCE_CLI_COMMANDS_WATCH_PRINTER_H_
