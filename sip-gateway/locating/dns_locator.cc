#include "sip-gateway/locating/dns_locator.h"

#include <utility>
#include <vector>

#include "sip-gateway/locating/locate_errors.h"

namespace presence::sip {

DnsLocator::DnsLocator(const Options& options, std::unique_ptr<DnsResolver> resolver,
                       DescriptorWatcher& loop, const Clock& clock, Random& random)
    : options_(options),
      loop_(loop),
      clock_(clock),
      random_(random),
      resolver_(std::move(resolver)),
      cache_(options.cache, *resolver_, clock),
      dead_(options.dead, clock) {}

DnsLocator::~DnsLocator() { loop_.CancelAlarm(alarm_); }

std::variant<LocateResult, LookupId> DnsLocator::Locate(const Destination& destination,
                                                        LocateDone done) {
  Lookup lookup{destination, {}, {}, std::move(done)};
  std::vector<DnsQuestion> missing;
  if (std::optional<LocateResult> result = Step(lookup, missing)) {
    ++(result->ok() ? counters_.immediate : counters_.failed);
    return Ordered(*std::move(result));
  }
  if (lookups_.size() >= options_.max_waiting) {
    ++counters_.refused;
    return LocateResult(TooManyLookups(options_.max_waiting));
  }
  const LookupId id = ++last_id_;
  Ask(id, lookup, missing);
  lookups_.emplace(id, std::make_unique<Lookup>(std::move(lookup)));
  deadlines_.push_back({clock_.Now() + options_.deadline, id});
  SetDeadlineAlarm();
  return id;
}

std::optional<LocateResult> DnsLocator::Step(Lookup& lookup, std::vector<DnsQuestion>& missing) {
  while (true) {
    LocationStep step = LocateFromFacts(lookup.destination, options_.rules, lookup.facts, random_);
    if (step.missing.empty()) return std::move(step.result);
    bool has_learned = false;
    for (DnsQuestion& question : step.missing) {
      if (lookup.asked.contains(question)) continue;
      if (DnsReplyPtr reply = cache_.Find(question)) {
        lookup.facts[std::move(question)] = std::move(reply);
        has_learned = true;
      }
    }
    if (has_learned) continue;
    missing = std::move(step.missing);
    return std::nullopt;
  }
}

void DnsLocator::Ask(LookupId id, Lookup& lookup, const std::vector<DnsQuestion>& missing) {
  for (const DnsQuestion& question : missing) {
    if (!lookup.asked.insert(question).second) continue;
    cache_.Fetch(question, id,
                 [this, id, question](const DnsReplyPtr& reply) { Learn(id, question, reply); });
  }
}

void DnsLocator::Learn(LookupId id, const DnsQuestion& question, const DnsReplyPtr& reply) {
  const auto it = lookups_.find(id);
  if (it == lookups_.end()) return;  // cancelled, or past its deadline
  Lookup& lookup = *it->second;
  lookup.facts[question] = reply;
  std::vector<DnsQuestion> missing;
  if (std::optional<LocateResult> result = Step(lookup, missing)) {
    Finish(id, *std::move(result));
  } else {
    Ask(id, lookup, missing);
  }
}

void DnsLocator::Finish(LookupId id, LocateResult result) {
  auto node = lookups_.extract(id);
  SetDeadlineAlarm();
  ++(result.ok() ? counters_.waited : counters_.failed);
  // Last: it may start the next lookup.
  node.mapped()->done(Ordered(std::move(result)));
}

LocateResult DnsLocator::Ordered(LocateResult result) {
  if (result.ok()) dead_.PutLast(*result);
  return result;
}

void DnsLocator::Cancel(LookupId id) {
  const auto it = lookups_.find(id);
  if (it == lookups_.end()) return;
  AbandonQuestions(id, *it->second);
  lookups_.erase(it);
  SetDeadlineAlarm();
}

void DnsLocator::AbandonQuestions(LookupId id, const Lookup& lookup) {
  for (const DnsQuestion& question : lookup.asked) {
    if (!lookup.facts.contains(question)) cache_.Abandon(question, id);
  }
}

void DnsLocator::MarkDead(const Target& target, absl::Duration duration) {
  dead_.Mark(target, duration);
}

void DnsLocator::MarkAlive(const Target& target) { dead_.Clear(target); }

void DnsLocator::OnDeadline() {
  alarm_ = kNoWatcherAlarm;
  const absl::Time now = clock_.Now();
  std::vector<LookupId> late;
  for (; !deadlines_.empty() && deadlines_.front().when <= now; deadlines_.pop_front()) {
    late.push_back(deadlines_.front().id);
  }
  for (const LookupId id : late) {
    const auto it = lookups_.find(id);
    if (it == lookups_.end()) continue;
    ++counters_.timed_out;
    const Lookup& lookup = *it->second;
    LocateResult result = LocateFromFacts(lookup.destination, options_.rules, lookup.facts, random_,
                                          /*is_last_try=*/true)
                              .result;
    if (absl::IsUnavailable(result.status())) {
      result = LocateTimedOut(lookup.destination.host, options_.deadline);
    }
    AbandonQuestions(id, lookup);
    Finish(id, std::move(result));
  }
  SetDeadlineAlarm();
}

void DnsLocator::SetDeadlineAlarm() {
  // One alarm, for the oldest lookup; all have the same time to live, so none is before it.
  while (!deadlines_.empty() && !lookups_.contains(deadlines_.front().id)) deadlines_.pop_front();
  if (deadlines_.empty()) {
    loop_.CancelAlarm(std::exchange(alarm_, kNoWatcherAlarm));
  } else if (alarm_ == kNoWatcherAlarm) {
    alarm_ = loop_.SetAlarm(deadlines_.front().when, [this] { OnDeadline(); });
  }
}

}  // namespace presence::sip
