#ifndef PRESENCE_SIP_GATEWAY_LOCATING_DEAD_TARGETS_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_DEAD_TARGETS_H_

#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "runtime/clock.h"
#include "sip-gateway/locating/locator.h"

namespace presence::sip {

// Remembers for a while which targets failed, so that each request does not find out anew and wait
// for its Timer F there. Used from one thread.
class DeadTargets {
 public:
  struct Options {
    // For a failure that names no time. As long as Timer F: by then a restarted server is back.
    absl::Duration default_duration = absl::Seconds(32);
    // A longer Retry-After is shortened to it: nobody may talk himself out of the list for a day.
    absl::Duration max_duration = absl::Minutes(15);
    // Targets remembered; when full, the one that comes back first is forgotten.
    size_t max_entries = 4096;
  };

  DeadTargets(const Options& options, const Clock& clock) : options_(options), clock_(clock) {}
  DeadTargets(const DeadTargets&) = delete;
  DeadTargets& operator=(const DeadTargets&) = delete;

  // Only lengthens the time of a target already marked. Zero or less stands for the default time.
  void Mark(const Target& target, absl::Duration duration);
  void Clear(Target target);

  // Moves the dead ones behind the living, whose order stays; among themselves the first to come
  // back stands first.
  void PutLast(std::vector<Target>& targets) const;

  size_t size() const { return until_.size(); }

 private:
  // InfinitePast for a target that is not dead.
  absl::Time DeadUntil(const Target& target) const;

  const Options options_;
  const Clock& clock_;
  absl::flat_hash_map<Target, absl::Time> until_;
  std::set<std::pair<absl::Time, Target>> by_time_;  // the same, in order of time
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_DEAD_TARGETS_H_
