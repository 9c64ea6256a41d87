#ifndef PRESENCE_TESTS_SIMULATION_SIMULATION_H_
#define PRESENCE_TESTS_SIMULATION_SIMULATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/faults.h"
#include "tests/simulation/history.h"
#include "tests/simulation/history_checker.h"

namespace presence::simulation {

struct Scenario {
  uint64_t seed = 1;
  Plant plant = Plant::kNone;
  // Unless given, the seed chooses.
  std::optional<StorageMode> mode = std::nullopt;
  // How long things go wrong. Then faults stop, and the system is given time to settle.
  absl::Duration trouble = absl::Seconds(60);
  absl::Duration longest_settling = absl::Seconds(360);
};

struct Verdict {
  std::vector<Violation> violations;
  StorageMode mode = StorageMode::kMemory;
  History history;
  absl::Time start;
  absl::Duration settled_after;  // since the end of the trouble
  // Of every event and of every byte that went over a wire.
  uint64_t fingerprint = 0;
};

// Lets a core, or two of db-only, three gateways, a dozen phones and three programs live through
// what the seed decides. The same seed gives the same history, event by event.
Verdict Simulate(const Scenario& scenario);

// The violations, the last events and how to see it all again; empty when there are none.
std::string Report(const Scenario& scenario, const Verdict& verdict, size_t last_events = 60,
                   std::string_view program = "simulate");

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_SIMULATION_H_
