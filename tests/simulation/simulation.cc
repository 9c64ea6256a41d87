#include "tests/simulation/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "tests/simulation/administrator.h"
#include "tests/simulation/core_host.h"
#include "tests/simulation/gateway_host.h"
#include "tests/simulation/network.h"
#include "tests/simulation/phone.h"
#include "tests/simulation/program.h"
#include "tests/simulation/shared_tables.h"
#include "tests/simulation/surroundings.h"

namespace presence::simulation {
namespace {

constexpr int kGateways = 3;
// How long a core, or all of them, may be without the database they share: long enough to be taken
// for dead.
constexpr absl::Duration kLongestCut = absl::Seconds(10);
constexpr absl::Duration kLongestOutage = absl::Seconds(5);
constexpr absl::Duration kLastChanges = absl::Seconds(20);
// The longest that a core is without the signal, and the time to look at everything.
constexpr absl::Duration kHearAgain = absl::Seconds(4);
// Not as long as refreshes take to cover what was missed.
constexpr absl::Duration kLongestSettlingOfSeveral = absl::Seconds(100);
constexpr const char* kPresentities[] = {"alice", "bob"};
constexpr const char* kWatchers[] = {"carol", "dave", "erin", "frank"};

// Everything of one run.
class World {
 public:
  explicit World(const Scenario& scenario)
      : scenario_(scenario),
        around_(scenario.seed),
        network_(Prepared()),
        database_(around_),
        tables_(around_),
        administrator_(around_, cores_) {
    AddCores();
    for (int i = 0; i < kGateways; ++i) {
      gateways_.push_back(std::make_unique<GatewayHost>(
          around_, network_, CoresFrom(static_cast<size_t>(i)), fmt::format("gateway-{}", i + 1),
          is_group_ ? "edge" : "", fmt::format("192.0.2.{}:5060", i + 1)));
    }
    for (const char* presentity : kPresentities) AddPhonesOf(presentity);
    AddProgram("wendy", "wendy", {{"alice", "presence"}, {"bob", "presence"}});
    AddProgram("walter", "walter", {{"alice", "presence"}});
    AddProgram("console", "alice", {{"alice", "presence.winfo"}});
  }

  Verdict Run() {
    for (auto& core : cores_) core->Start();
    for (auto& gateway : gateways_) gateway->Start();
    const absl::Time end = start_ + scenario_.trouble;
    while (around_.clock.Now() < end && checker_.violations().empty()) {
      around_.executor.RunFor(around_.UpTo(absl::Milliseconds(300)));
      MakeTrouble();
      if (IsShared(around_.mode)) MakeDeaf(2);
    }
    around_.Record(Note{"faults stop"});
    around_.faults = kNoFaults;
    for (auto& phone : phones_) phone->SetMood(Phone::Mood::kFine);
    for (auto& program : programs_) program->BehaveWell();
    database_.ComeBack();
    for (const auto& core : cores_) database_.Reconnect(core->name());
    Verdict verdict;
    verdict.mode = around_.mode;
    verdict.start = start_;
    verdict.violations = Settle();
    verdict.settled_after = around_.clock.Now() - end;
    verdict.fingerprint = around_.fingerprint.value();
    verdict.history = std::move(history_);
    return verdict;
  }

 private:
  // Sets what is shared before anybody sees it.
  Surroundings& Prepared() {
    around_.plant = scenario_.plant;
    const uint64_t roll = around_.dice.Below(10);
    around_.mode = scenario_.mode.value_or(roll < 1   ? StorageMode::kMemory
                                           : roll < 2 ? StorageMode::kScripted
                                           : roll < 4 ? StorageMode::kWriteBack
                                           : roll < 6 ? StorageMode::kDbOnly
                                           : roll < 8 ? StorageMode::kWriteThrough
                                           : roll < 9 ? StorageMode::kWriteBackWriteThrough
                                                      : StorageMode::kWriteThroughWriteBack);
    around_.record = [this](const Event& event) {
      around_.fingerprint.Add(ToString(event, start_));
      history_.push_back(event);
      checker_.OnEvent(event);
    };
    return around_;
  }

  void AddCores() {
    const int count = IsShared(around_.mode) ? 2 : 1;
    CoreSpec spec;
    spec.unknown = around_.dice.Chance(50) ? UnknownWatcher::kAllow : UnknownWatcher::kPending;
    spec.config = DrawConfig(around_);
    for (int i = 0; i < count; ++i) {
      spec.name = count == 1 ? "core" : fmt::format("core-{}", i + 1);
      cores_.push_back(std::make_unique<CoreHost>(around_, database_, tables_, spec));
    }
  }
  // All of them, beginning with this one.
  std::vector<CoreHost*> CoresFrom(size_t first) {
    std::vector<CoreHost*> cores;
    for (size_t i = 0; i < cores_.size(); ++i) {
      cores.push_back(cores_[(first + i) % cores_.size()].get());
    }
    return cores;
  }

  void AddPhonesOf(const std::string& presentity) {
    const auto add = [&](const std::string& name, const std::string& event) {
      const size_t number = phones_.size();
      PhoneSpec spec;
      spec.name = name + "-" + presentity;
      spec.address = fmt::format("192.0.2.{}:5060", 10 + number);
      if (is_group_) {
        for (const auto& gateway : gateways_) spec.gateways.push_back(gateway->address());
      } else {
        spec.gateways.push_back(gateways_[around_.dice.Below(kGateways)]->address());
      }
      spec.presentity = presentity;
      spec.event = event;
      spec.uses_tcp = around_.dice.Chance(30);
      spec.is_behind_nat = spec.uses_tcp && around_.dice.Chance(50);
      spec.uses_xml = around_.uses_xml;
      phones_.push_back(std::make_unique<Phone>(around_, network_, std::move(spec)));
    };
    add("desk", "");
    add("mobile", "");
    add("list", "presence.winfo");
    for (const char* watcher : kWatchers) add(watcher, "presence");
  }

  void AddProgram(std::string name, std::string watcher,
                  std::vector<std::pair<std::string, std::string>> targets) {
    programs_.push_back(std::make_unique<Program>(
        around_, CoresFrom(0),
        ProgramSpec{std::move(name), std::move(watcher), std::move(targets)}));
  }

  CoreHost& AnyCore() {
    return *cores_[cores_.size() == 1 ? 0 : around_.dice.Below(cores_.size())];
  }
  Program& AnyProgram() { return *programs_[around_.dice.Below(programs_.size())]; }
  Phone& AnyPhone() { return *phones_[around_.dice.Below(phones_.size())]; }

  void MakeTrouble() {
    const uint64_t roll = around_.dice.Below(1000);
    if (roll < 8) {
      AnyCore().Die();
    } else if (roll < 16) {
      MakeStorageTrouble(AnyCore());
    } else if (roll < 26) {
      KillGateway(*gateways_[around_.dice.Below(kGateways)]);
    } else if (roll < 42) {
      gateways_[around_.dice.Below(kGateways)]->BreakStream();
    } else if (roll < 60) {
      AnyPhone().SetMood(Phone::Mood::kMute);
    } else if (roll < 120) {
      AnyPhone().SetMood(Phone::Mood::kFine);
    } else if (roll < 140) {
      network_.Cut(AnyPhone().spec().address);
    } else if (roll < 200) {
      DecideAtRandom();
    } else if (roll < 260) {
      AnyProgram().ActAtRandom();
    } else {
      AnyPhone().ActAtRandom();
    }
    for (auto& program : programs_) program->KeepUp();
  }

  void MakeStorageTrouble(CoreHost& core) {
    if (!IsShared(around_.mode)) return core.storage().MakeTrouble();
    if (around_.dice.Chance(30)) return core.peers().StopHearing();
    if (around_.dice.Chance(50)) {
      around_.Record(Note{core.name() + " is cut off from the database"});
      database_.CutOff(core.name());
      core.peers().StopHearing();
      around_.After(around_.UpTo(kLongestCut),
                    [this, name = core.name()] { database_.Reconnect(name); });
    } else if (!database_.is_away()) {
      around_.Record(Note{"the database is away"});
      database_.GoAway();
      for (auto& each : cores_) each->peers().StopHearing();
      around_.After(around_.UpTo(kLongestOutage), [this] { database_.ComeBack(); });
    }
  }

  // A core hears nothing for a while, and is to look for what it has missed.
  void MakeDeaf(uint64_t chance) {
    if (around_.dice.Chance(chance)) AnyCore().peers().StopHearing();
  }

  // Where all others can stand in it may be away for longer than the rest of the run.
  void KillGateway(GatewayHost& gateway) {
    const bool are_all_up = std::all_of(gateways_.begin(), gateways_.end(),
                                        [](const auto& each) { return each->is_up(); });
    const bool is_long = is_group_ && are_all_up && around_.dice.Chance(30);
    gateway.Die(absl::Seconds(is_long ? 900 : 5));
  }

  void DecideAtRandom() {
    std::string presentity = AnyProgram().spec().targets.front().first;
    std::string watcher = AnyProgram().spec().watcher;
    if (!around_.dice.Chance(30)) {
      const Phone& phone = AnyPhone();
      if (phone.spec().event != "presence") return;
      presentity = phone.spec().presentity;
      watcher = phone.spec().name;
    }
    static constexpr WatcherDecision kDecisions[] = {
        WatcherDecision::kAllow, WatcherDecision::kAllow, WatcherDecision::kBlock,
        WatcherDecision::kConfirm, WatcherDecision::kNone};
    administrator_.DecideWatcher(presentity, watcher,
                                 kDecisions[around_.dice.Below(std::size(kDecisions))]);
  }

  // Time passes without faults until all is as it must be, or has had its time.
  std::vector<Violation> Settle() {
    const absl::Duration longest =
        IsShared(around_.mode) ? kLongestSettlingOfSeveral : scenario_.longest_settling;
    const absl::Time latest = around_.clock.Now() + longest;
    if (IsShared(around_.mode)) MakeLastChanges();
    for (;;) {
      if (!checker_.violations().empty()) return checker_.violations();
      around_.executor.RunFor(absl::Seconds(2));
      std::vector<Violation> unsettled = checker_.Unsettled(around_.clock.Now());
      if (unsettled.empty() || around_.clock.Now() >= latest) {
        const std::vector<Violation>& broken = checker_.violations();
        unsettled.insert(unsettled.begin(), broken.begin(), broken.end());
        return unsettled;
      }
      for (auto& phone : phones_) phone->KeepUp();
      for (auto& program : programs_) program->KeepUp();
    }
  }

  // Most of what a core misses it sees with the next change of the resource. So it misses some when
  // all who must have come back, and then publications alone change.
  void MakeLastChanges() {
    for (absl::Duration time; time < kLastChanges; time += absl::Seconds(2)) {
      for (auto& phone : phones_) {
        if (phone->is_watcher() || time < kLastChanges / 2) {
          phone->KeepUp();
        } else {
          phone->ActAtRandom();
        }
      }
      for (auto& program : programs_) program->KeepUp();
      MakeDeaf(60);
      around_.executor.RunFor(absl::Seconds(2));
    }
    around_.executor.RunFor(kHearAgain);
    for (auto& core : cores_) {
      for (const char* presentity : kPresentities) RecordHeld(*core, presentity);
    }
  }

  void RecordHeld(CoreHost& core, const std::string& presentity) {
    if (!core.is_up()) return;
    StateQuery query;
    query.event = *EventName::Parse("presence");
    query.key = {*PresentityUri::Parse("sip:" + presentity + "@example.com"), query.event};
    const auto view = core.engine().GetState(query);
    const bool has_document = view.ok() && view->document.has_value();
    const std::string state = has_document ? StateOf(view->document->body()) : "none";
    around_.Record(Held{query.key, state, core.name()});
  }

  const Scenario scenario_;
  History history_;
  HistoryChecker checker_;
  Surroundings around_;
  const absl::Time start_ = around_.clock.Now();
  Network network_;
  Database database_;
  SharedTables tables_;
  std::vector<std::unique_ptr<CoreHost>> cores_;
  Administrator administrator_;
  // The gateways are one group: each serves all dialogs, save those bound to another's connection.
  const bool is_group_ = around_.dice.Chance(50);
  std::vector<std::unique_ptr<GatewayHost>> gateways_;
  std::vector<std::unique_ptr<Phone>> phones_;
  std::vector<std::unique_ptr<Program>> programs_;
};

}  // namespace

std::string_view NameOf(Plant plant) {
  switch (plant) {
    case Plant::kNone:
      return "none";
    case Plant::kDroppedInstruction:
      return "dropped-instruction";
    case Plant::kReusedCseq:
      return "reused-cseq";
    case Plant::kAnswerBeforeCommit:
      return "answer-before-commit";
    case Plant::kForgottenLimit:
      return "forgotten-limit";
    case Plant::kForgottenEnd:
      return "forgotten-end";
    case Plant::kForgottenRequest:
      return "forgotten-request";
    case Plant::kLostWatcher:
      return "lost-watcher";
    case Plant::kIdleSweep:
      return "idle-sweep";
    case Plant::kLostChange:
      return "lost-change";
    case Plant::kMissedReset:
      return "missed-reset";
    case Plant::kIgnoredToken:
      return "ignored-token";
    case Plant::kEarlyCommit:
      return "early-commit";
    case Plant::kLateLimit:
      return "late-limit";
    case Plant::kForgottenDeletion:
      return "forgotten-deletion";
    case Plant::kUnknownIsFailure:
      return "unknown-is-failure";
    case Plant::kFencedGoesOn:
      return "fenced-goes-on";
    case Plant::kPromisedFirst:
      return "promised-first";
    case Plant::kLateClaim:
      return "late-claim";
    case Plant::kDeafCore:
      return "deaf-core";
    case Plant::kUnclaimedCseq:
      return "unclaimed-cseq";
  }
  return "?";
}

Verdict Simulate(const Scenario& scenario) { return World(scenario).Run(); }

std::string ArgumentsOf(const Scenario& scenario, StorageMode mode) {
  std::string text =
      fmt::format("--from {} --seeds 1 --mode {} --events all", scenario.seed, NameOf(mode));
  if (scenario.trouble != Scenario().trouble) {
    text += fmt::format(" --trouble {}", absl::ToInt64Seconds(scenario.trouble));
  }
  if (scenario.plant != Plant::kNone) text += fmt::format(" --plant {}", NameOf(scenario.plant));
  return text;
}

std::string Report(const Scenario& scenario, const Verdict& verdict, size_t last_events,
                   std::string_view program) {
  if (verdict.violations.empty()) return "";
  std::string text = fmt::format("seed {}, {}:\n", scenario.seed, NameOf(verdict.mode));
  for (const Violation& violation : verdict.violations) {
    text += fmt::format("  broken: {}: {}\n", NameOf(violation.invariant), violation.what);
  }
  const size_t count = std::min(last_events, verdict.history.size());
  text += fmt::format("the last {} of {} events:\n", count, verdict.history.size());
  for (size_t i = verdict.history.size() - count; i < verdict.history.size(); ++i) {
    text += ToString(verdict.history[i], verdict.start) + "\n";
  }
  return text + fmt::format("again: {} {}\n", program, ArgumentsOf(scenario, verdict.mode));
}

}  // namespace presence::simulation
