// Runs simulations from the command line: many seeds, or one to look at.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tests/simulation/simulation.h"

namespace presence::simulation {
namespace {

constexpr std::string_view kUsage =
    "simulate [--seeds N] [--seconds S] [--from SEED] [--events N|all] [--fingerprints yes]\n"
    "         [--mode NAME] [--plant NAME] [--trouble SECONDS]\n"
    "Runs N seeds from SEED on, for S seconds at most (0: as long as it takes); stops at the "
    "first\n"
    "that breaks an invariant. Says how many it has covered, also when it is told to stop.\n"
    "With --fingerprints, a line for each seed: the same seed has the same one in every process.\n";

// What a signal leaves behind; looked at between two seeds.
volatile std::sig_atomic_t g_is_told_to_stop = 0;

constexpr int kStopped = 130;  // as a shell has it

// Between two lines that say how far it is.
constexpr std::chrono::seconds kProgressInterval{60};

struct Options {
  uint64_t seeds = 1000;
  uint64_t seconds = 0;
  uint64_t from = 1;
  uint64_t events = 60;
  uint64_t trouble = 60;
  bool prints_fingerprints = false;
  Plant plant = Plant::kNone;
  std::optional<StorageMode> mode;
};

bool ReadNumber(std::string_view text, uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

template <typename All, typename Value>
bool ReadName(std::string_view name, const All& all, Value& value) {
  for (const auto each : all) {
    if (NameOf(each) != name) continue;
    value = each;
    return true;
  }
  return false;
}

bool ReadOption(std::string_view name, std::string_view value, Options& options) {
  if (name == "--seeds") return ReadNumber(value, options.seeds);
  if (name == "--seconds") return ReadNumber(value, options.seconds);
  if (name == "--from") return ReadNumber(value, options.from);
  if (name == "--trouble") return ReadNumber(value, options.trouble);
  if (name == "--fingerprints") return options.prints_fingerprints = value == "yes";
  if (name == "--events" && value == "all") {
    options.events = UINT64_MAX;
    return true;
  }
  if (name == "--events") return ReadNumber(value, options.events);
  if (name == "--plant") return ReadName(value, kAllPlants, options.plant);
  return name == "--mode" && ReadName(value, kAllStorageModes, options.mode);
}

// What has been run so far.
class Tally {
 public:
  explicit Tally(const Options& options) : options_(options) {}

  void Add(const Verdict& verdict) {
    ++seeds_;
    events_ += verdict.history.size();
    slowest_ = std::max(slowest_, verdict.settled_after);
    const auto now = std::chrono::steady_clock::now();
    if (now - last_said_ < kProgressInterval) return;
    last_said_ = now;
    Say("so far");
  }
  bool is_over() const {
    const auto limit = std::chrono::seconds(options_.seconds);
    return seeds_ >= options_.seeds || g_is_told_to_stop != 0 ||
           (options_.seconds > 0 && std::chrono::steady_clock::now() - start_ >= limit);
  }
  uint64_t next_seed() const { return options_.from + seeds_; }
  void Say(std::string_view how) const {
    const auto took = std::chrono::steady_clock::now() - start_;
    fmt::print("{} seeds from {}, {} events, {} s, settled after {} s at the latest: {}\n", seeds_,
               options_.from, events_,
               std::chrono::duration_cast<std::chrono::seconds>(took).count(),
               absl::ToInt64Seconds(slowest_), how);
    std::fflush(stdout);
  }

 private:
  const Options& options_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_said_ = start_;
  uint64_t seeds_ = 0;
  uint64_t events_ = 0;
  absl::Duration slowest_;
};

int RunSeeds(const Options& options, std::string_view program) {
  Tally tally(options);
  while (!tally.is_over()) {
    Scenario scenario;
    scenario.seed = tally.next_seed();
    scenario.plant = options.plant;
    scenario.mode = options.mode;
    scenario.trouble = absl::Seconds(options.trouble);
    const Verdict verdict = Simulate(scenario);
    if (options.prints_fingerprints) {
      fmt::print("seed {} has {:016x}\n", scenario.seed, verdict.fingerprint);
    }
    if (verdict.violations.empty()) {
      tally.Add(verdict);
      continue;
    }
    fmt::print("{}", Report(scenario, verdict, options.events, program));
    tally.Say(fmt::format("and seed {} breaks an invariant", scenario.seed));
    return 1;
  }
  const bool was_stopped = g_is_told_to_stop != 0;
  tally.Say(was_stopped ? "all invariants hold; told to stop" : "all invariants hold");
  return was_stopped ? kStopped : 0;
}

}  // namespace
}  // namespace presence::simulation

int main(int argc, char** argv) {
  using namespace presence::simulation;
  Options options;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 < argc && ReadOption(argv[i], argv[i + 1], options)) continue;
    fmt::print(stderr, "{}", kUsage);
    return 2;
  }
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, [](int) { g_is_told_to_stop = 1; });
  }
  return RunSeeds(options, argv[0]);
}
