// Runs simulations from the command line: many seeds, or one to look at.

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <string_view>

#include "tests/simulation/simulation.h"

namespace presence::simulation {
namespace {

constexpr std::string_view kUsage =
    "simulate [--seeds N] [--from S] [--events N|all] [--plant NAME] [--trouble SECONDS]\n"
    "Runs N seeds from S on; stops at the first that breaks an invariant.\n";

struct Options {
  uint64_t seeds = 1000;
  uint64_t from = 1;
  uint64_t events = 60;
  uint64_t trouble = 60;
  Plant plant = Plant::kNone;
};

bool ReadNumber(std::string_view text, uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool ReadOption(std::string_view name, std::string_view value, Options& options) {
  if (name == "--seeds") return ReadNumber(value, options.seeds);
  if (name == "--from") return ReadNumber(value, options.from);
  if (name == "--trouble") return ReadNumber(value, options.trouble);
  if (name == "--events" && value == "all") {
    options.events = UINT64_MAX;
    return true;
  }
  if (name == "--events") return ReadNumber(value, options.events);
  if (name != "--plant") return false;
  for (const Plant plant : kAllPlants) {
    if (NameOf(plant) != value) continue;
    options.plant = plant;
    return true;
  }
  return false;
}

int RunSeeds(const Options& options) {
  uint64_t events = 0;
  absl::Duration slowest;
  for (uint64_t i = 0; i < options.seeds; ++i) {
    Scenario scenario;
    scenario.seed = options.from + i;
    scenario.plant = options.plant;
    scenario.trouble = absl::Seconds(options.trouble);
    const Verdict verdict = Simulate(scenario);
    events += verdict.history.size();
    slowest = std::max(slowest, verdict.settled_after);
    if (verdict.violations.empty()) continue;
    fmt::print("{}", Report(scenario, verdict, options.events));
    return 1;
  }
  fmt::print("{} seeds from {}, {} events, settled after {} s at the latest: all invariants hold\n",
             options.seeds, options.from, events, absl::ToInt64Seconds(slowest));
  return 0;
}

}  // namespace
}  // namespace presence::simulation

int main(int argc, char** argv) {
  presence::simulation::Options options;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 < argc && presence::simulation::ReadOption(argv[i], argv[i + 1], options)) continue;
    fmt::print(stderr, "{}", presence::simulation::kUsage);
    return 2;
  }
  return presence::simulation::RunSeeds(options);
}
