#include "sip-gateway/locating/static_locator.h"

#include "sip-gateway/locating/ip_literal.h"
#include "sip-gateway/locating/locate_errors.h"

namespace presence::sip {

StaticLocator::StaticLocator(const Clock& clock, LocationRules rules)
    : rules_(std::move(rules)), dead_(DeadTargets::Options{}, clock) {}

void StaticLocator::Set(std::string_view name, LocateResult result) {
  results_.insert_or_assign(CanonicalName(name), std::move(result));
}

std::variant<LocateResult, LookupId> StaticLocator::Locate(const Destination& destination,
                                                           LocateDone done) {
  LocationStep step = LocateFromFacts(destination, rules_, DnsFacts(), random_);
  if (step.missing.empty()) return Ordered(std::move(step.result));

  std::string name =
      CanonicalName(destination.maddr.empty() ? destination.host : destination.maddr);
  if (!is_holding_) return Answer(name);
  const LookupId id = ++last_id_;
  waiting_.emplace(id, std::pair(std::move(name), std::move(done)));
  return id;
}

void StaticLocator::Release() {
  is_holding_ = false;
  // One by one: a callback may cancel another.
  while (!waiting_.empty()) {
    auto node = waiting_.extract(waiting_.begin());
    auto& [name, done] = node.mapped();
    done(Answer(name));
  }
}

LocateResult StaticLocator::Answer(const std::string& name) const {
  const auto it = results_.find(name);
  if (it == results_.end()) return NothingInDns(name);
  return Ordered(it->second);
}

LocateResult StaticLocator::Ordered(LocateResult result) const {
  if (result.ok()) dead_.PutLast(*result);
  return result;
}

}  // namespace presence::sip
