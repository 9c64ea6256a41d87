#ifndef PRESENCE_SIP_GATEWAY_LOCATING_DNS_LOCATOR_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_DNS_LOCATOR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "sip-gateway/locating/dead_targets.h"
#include "sip-gateway/locating/descriptor_watcher.h"
#include "sip-gateway/locating/dns_cache.h"
#include "sip-gateway/locating/dns_resolver.h"
#include "sip-gateway/locating/location_procedure.h"
#include "sip-gateway/locating/locator.h"

namespace presence::sip {

// The Locator of production: runs LocateFromFacts on what the cache knows and asks the DNS for the
// rest, all questions of a step at once. Owns the resolver.
class DnsLocator final : public Locator {
 public:
  struct Options {
    LocationRules rules;
    DnsCache::Options cache;
    DeadTargets::Options dead;
    // A lookup ends by then, with the targets found so far if there are any. Well below the 32 s of
    // a transaction (RFC 3261 §17.1.2.2, Timer F), and long enough for one lost datagram at each of
    // the three steps.
    absl::Duration deadline = absl::Seconds(8);
    // Lookups waiting for the DNS; one more fails at once.
    size_t max_waiting = 10'000;
  };

  // Counts since the start.
  struct Counters {
    uint64_t immediate = 0;  // lookups that had nothing to wait for
    uint64_t waited = 0;     // lookups that waited for the DNS and got targets
    uint64_t failed = 0;     // lookups, waiting or not, that ended in an error
    uint64_t timed_out = 0;  // lookups that reached the deadline, with targets or without
    uint64_t refused = 0;    // lookups over max_waiting
  };

  DnsLocator(const Options& options, std::unique_ptr<DnsResolver> resolver, DescriptorWatcher& loop,
             const Clock& clock, Random& random);
  ~DnsLocator() override;
  DnsLocator(const DnsLocator&) = delete;
  DnsLocator& operator=(const DnsLocator&) = delete;

  std::variant<LocateResult, LookupId> Locate(const Destination& destination,
                                              LocateDone done) override;
  void Cancel(LookupId id) override;
  void MarkDead(const Target& target, absl::Duration duration) override;
  void MarkAlive(const Target& target) override;

  const Counters& counters() const { return counters_; }
  const DnsCache::Counters& cache_counters() const { return cache_.counters(); }
  size_t waiting() const { return lookups_.size(); }

 private:
  struct Lookup {
    Destination destination;
    DnsFacts facts;
    absl::flat_hash_set<DnsQuestion> asked;
    LocateDone done;
  };
  struct Deadline {
    absl::Time when;
    LookupId id;
  };

  // As far as the cache carries: the result, or nothing and the questions it takes.
  std::optional<LocateResult> Step(Lookup& lookup, std::vector<DnsQuestion>& missing);
  void Ask(LookupId id, Lookup& lookup, const std::vector<DnsQuestion>& missing);
  void Learn(LookupId id, const DnsQuestion& question, const DnsReplyPtr& reply);
  void AbandonQuestions(LookupId id, const Lookup& lookup);
  void Finish(LookupId id, LocateResult result);
  LocateResult Ordered(LocateResult result);
  void OnDeadline();
  void SetDeadlineAlarm();

  const Options options_;
  DescriptorWatcher& loop_;
  const Clock& clock_;
  Random& random_;
  const std::unique_ptr<DnsResolver> resolver_;
  DnsCache cache_;
  DeadTargets dead_;
  Counters counters_;
  LookupId last_id_ = 0;
  absl::flat_hash_map<LookupId, std::unique_ptr<Lookup>> lookups_;
  std::deque<Deadline> deadlines_;  // in order of time; a lookup that ended may still stand here
  WatcherAlarm alarm_ = kNoWatcherAlarm;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_DNS_LOCATOR_H_
