#ifndef PRESENCE_SIP_GATEWAY_LOCATING_STATIC_LOCATOR_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_STATIC_LOCATOR_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "sip-gateway/locating/dead_targets.h"
#include "sip-gateway/locating/location_procedure.h"
#include "sip-gateway/locating/locator.h"

namespace presence::sip {

// A Locator without DNS, for tests and the simulation: numeric destinations as in production, names
// from a map. Used from one thread; the same calls give the same answers.
class StaticLocator final : public Locator {
 public:
  explicit StaticLocator(const Clock& clock, LocationRules rules = {});
  StaticLocator(const StaticLocator&) = delete;
  StaticLocator& operator=(const StaticLocator&) = delete;

  // What Locate gives from now on for a destination whose maddr or else host is `name`, in any
  // case; transport and port of the destination play no part. A name never set is NOT_FOUND.
  void Set(std::string_view name, LocateResult result);

  // From now on answers for names wait until Release, as if the DNS were slow.
  void Hold() { is_holding_ = true; }

  // Ends Hold: calls back everybody who waits, oldest first, with what is set by now.
  void Release();

  size_t waiting() const { return waiting_.size(); }

  std::variant<LocateResult, LookupId> Locate(const Destination& destination,
                                              LocateDone done) override;
  void Cancel(LookupId id) override { waiting_.erase(id); }
  void MarkDead(const Target& target, absl::Duration duration) override {
    dead_.Mark(target, duration);
  }
  void MarkAlive(const Target& target) override { dead_.Clear(target); }

 private:
  LocateResult Answer(const std::string& name) const;
  LocateResult Ordered(LocateResult result) const;

  const LocationRules rules_;
  SeededRandom random_{1};  // numeric destinations draw nothing
  DeadTargets dead_;
  std::map<std::string, LocateResult> results_;
  bool is_holding_ = false;
  LookupId last_id_ = 0;
  std::map<LookupId, std::pair<std::string, LocateDone>> waiting_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_STATIC_LOCATOR_H_
