#include "tests/simulation/watch_checker.h"

#include <fmt/format.h>

#include <algorithm>

namespace presence::simulation {
namespace {

// rpc/watch_stream.cc ends a stream that nobody reads for so long.
constexpr absl::Duration kLongestStall = absl::Seconds(30);

ResourceKey KeyOf(const std::string& presentity, const std::string& event) {
  return {*PresentityUri::Parse("sip:" + presentity), EventName::Parse(event)->base()};
}

bool IsWinfo(const std::string& event) { return event.ends_with(".winfo"); }

std::string NameOf(const std::pair<std::string, std::string>& target) {
  return fmt::format("{} of {}", target.second, target.first);
}

}  // namespace

void WatchChecker::Fail(Invariant invariant, std::string what) {
  violations_.push_back({invariant, std::move(what)});
}

void WatchChecker::On(const WatchAsked& asked) {
  Program& program = programs_[asked.program];
  program.watcher = asked.watcher;
  program.core = asked.core;
  program.is_on = true;
  program.has_snapshot = false;
  program.awaits_reset = false;
  for (const Target& target : asked.targets) {
    Seen& seen = program.targets[target];
    if (!asked.resumes) seen.known.reset();
    seen.status = SubscriptionState::kActive;
    seen.was_told = seen.may_repeat = false;
    seen.winfo = WinfoTable();
    if (seen.known.has_value() && seen.known->epoch != epoch_) program.awaits_reset = true;
  }
}

void WatchChecker::On(const WatchForgotten& forgotten) {
  for (auto& [target, seen] : programs_[forgotten.program].targets) seen.known.reset();
}

void WatchChecker::On(const WatchEnded& ended) {
  programs_[ended.program].is_on = false;
  if (ended.reason == ErrorReason::kOverloaded && ended.stalled < kLongestStall) {
    Fail(Invariant::kBounded, fmt::format("{} was cut off after {} s of not reading", ended.program,
                                          absl::ToInt64Seconds(ended.stalled)));
  }
}

void WatchChecker::On(const Watched& watched) {
  Program& program = programs_[watched.program];
  if (watched.kind == Watched::Kind::kReset) {
    if (!program.awaits_reset) {
      Fail(Invariant::kResume, watched.program + " was reset without need");
    }
    program.awaits_reset = false;
    for (auto& [target, seen] : program.targets) seen.known.reset();
    return;
  }
  if (program.awaits_reset) {
    Fail(Invariant::kResume,
         fmt::format("{} goes on after a restart of the core without a reset", watched.program));
    program.awaits_reset = false;
  }
  if (watched.kind == Watched::Kind::kSnapshotDone) {
    if (program.has_snapshot) Fail(Invariant::kResume, watched.program + " got a second snapshot");
    program.has_snapshot = true;
    for (const auto& [target, seen] : program.targets) {
      if (seen.was_told || seen.known.has_value()) continue;
      Fail(Invariant::kResume,
           fmt::format("the snapshot of {} is done without {}", watched.program, NameOf(target)));
    }
    return;
  }
  const auto it = program.targets.find({watched.presentity, watched.event});
  if (it == program.targets.end()) {
    Fail(Invariant::kResume, fmt::format("{} did not ask for {} of {}", watched.program,
                                         watched.event, watched.presentity));
    return;
  }
  Seen& seen = it->second;
  if (seen.status == SubscriptionState::kTerminated) {
    Fail(Invariant::kAfterEnd,
         fmt::format("{} got more of {} after its end", watched.program, NameOf(it->first)));
  }
  seen.was_told = true;
  if (watched.kind == Watched::Kind::kStatus) {
    seen.status = watched.state;
    seen.may_repeat = true;
    return;
  }
  OnState(watched, seen);
}

void WatchChecker::OnState(const Watched& watched, Seen& seen) {
  if (IsWinfo(watched.event)) {
    seen.known = watched.revision;
    const std::optional<ReadWinfo> winfo = WinfoOf(watched.body);
    const std::string wrong = winfo.has_value() ? seen.winfo.Take(*winfo) : "what cannot be read";
    if (!wrong.empty()) {
      Fail(Invariant::kVersion, fmt::format("{} got {}", watched.program, wrong));
    }
    return;
  }
  if (seen.known.has_value()) {
    const Revision& known = *seen.known;
    // After a decision that came and went, the same state may be shown again.
    const bool may_repeat = seen.may_repeat || watched.cause == NotifyCause::kRules;
    const bool is_newer =
        watched.revision.epoch == known.epoch &&
        (watched.revision.seq > known.seq || (may_repeat && watched.revision.seq == known.seq));
    if (!is_newer) {
      Fail(Invariant::kResume,
           fmt::format("{} knew seq {} of epoch {} and was shown seq {} of epoch {}",
                       watched.program, known.seq, known.epoch, watched.revision.seq,
                       watched.revision.epoch));
    }
  }
  seen.may_repeat = false;
  seen.known = watched.revision;
  seen.state = StateOf(watched.body);
}

std::multiset<std::string> WatchChecker::WinfoLinesOf(const ResourceKey& key,
                                                      const std::string& core) const {
  std::multiset<std::string> lines;
  for (const auto& [name, program] : programs_) {
    if (!program.is_on || program.core != core) continue;
    for (const auto& [target, seen] : program.targets) {
      const bool is_shown = !IsWinfo(target.second) && KeyOf(target.first, target.second) == key &&
                            seen.status != SubscriptionState::kTerminated;
      if (!is_shown) continue;
      lines.insert(WinfoLine(*WatcherUri::Parse("sip:" + program.watcher), seen.status));
    }
  }
  return lines;
}

std::string WatchChecker::WrongWith(const std::map<uint64_t, std::string>& watchers,
                                    const ResourceKey& key, const DurableModel& model,
                                    const std::string& core) const {
  std::map<uint64_t, std::string> wanted;
  for (const auto& [id, row] : model.subscriptions) {
    if (!row->is_live() || row->event.is_winfo()) continue;
    wanted[row->ordinal] = WinfoLine(row->watcher, row->state);
  }
  for (const auto& [uri, record] : model.watchers) {
    if (!record->is_waiting()) continue;
    wanted[record->ordinal] = WinfoLine(record->watcher, SubscriptionState::kWaiting);
  }
  // Native watchers are not stored: their ids are nobody's business but the document's.
  std::multiset<std::string> native = WinfoLinesOf(key, core);
  std::string wrong;
  for (const auto& [id, line] : watchers) {
    if (const auto it = wanted.find(id); it != wanted.end() && it->second == line) {
      wanted.erase(it);
    } else if (const auto other = native.find(line); other != native.end()) {
      native.erase(other);
    } else {
      wrong += fmt::format(" {},{} too much;", id, line);
    }
  }
  for (const auto& [id, line] : wanted) wrong += fmt::format(" {},{} missing;", id, line);
  for (const std::string& line : native) wrong += fmt::format(" {} missing;", line);
  return wrong;
}

void WatchChecker::FindUnsettled(const DurableModels& durable,
                                 std::vector<Violation>& unsettled) const {
  for (const auto& [name, program] : programs_) {
    for (const auto& [target, seen] : program.targets) {
      CheckTarget(name, program, target, durable, unsettled);
    }
  }
}

void WatchChecker::CheckTarget(const std::string& name, const Program& program,
                               const Target& target, const DurableModels& durable,
                               std::vector<Violation>& unsettled) const {
  const auto fail = [&](Invariant invariant, std::string_view what) {
    unsettled.push_back({invariant, fmt::format("{}, {}: {}", name, NameOf(target), what)});
  };
  const Seen& seen = program.targets.at(target);
  const ResourceKey key = KeyOf(target.first, target.second);
  const auto it = durable.find(key);
  static const DurableModel kNothing;
  const DurableModel& model = it == durable.end() ? kNothing : it->second;
  if (IsWinfo(target.second)) {
    if (!program.is_on) return fail(Invariant::kLastState, "it has no stream");
    const std::string wrong = WrongWith(seen.winfo.watchers(), key, model, program.core);
    if (!wrong.empty()) fail(Invariant::kWinfo, wrong);
    return;
  }
  const WatcherDecision decision = model.DecisionOn(program.watcher);
  const SubscriptionState now = program.is_on ? seen.status : SubscriptionState::kTerminated;
  if (!IsObeyed(decision, now)) {
    return fail(Invariant::kLastState,
                fmt::format("status {}, the decision is {}", static_cast<int>(now),
                            static_cast<int>(decision)));
  }
  if (now != SubscriptionState::kActive) return;
  const std::string wanted = model.State();
  if (seen.known.has_value() && seen.state == wanted) return;
  fail(Invariant::kLastState,
       fmt::format("it shows \"{}\", durable is \"{}\"", seen.state, wanted));
}

}  // namespace presence::simulation
