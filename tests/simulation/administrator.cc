#include "tests/simulation/administrator.h"

namespace presence::simulation {

void Administrator::DecideWatcher(const std::string& presentity, const std::string& watcher,
                                  WatcherDecision decision) {
  DecideWatcherCommand command;
  command.presentity = *PresentityUri::Parse("sip:" + presentity + "@example.com");
  command.event = *EventName::Parse("presence");
  command.watcher = *WatcherUri::Parse("sip:" + watcher + "@example.com");
  command.decision = decision;
  command.idempotency.request_id = RequestKey::Of({std::to_string(next_++)});
  command.idempotency.content = command.idempotency.request_id;
  const std::pair who(presentity, watcher);
  const bool is_saying = decisions_.contains(who);
  decisions_[who] = std::move(command);
  if (!is_saying) SayAgain(who);
}

void Administrator::SayAgain(const std::pair<std::string, std::string>& who) {
  const auto it = decisions_.find(who);
  if (it == decisions_.end()) return;
  CoreHost& core = *cores_[cores_.size() == 1 ? 0 : around_.dice.Below(cores_.size())];
  if (core.is_up()) {
    const RequestKey said = it->second.idempotency.request_id;
    core.engine().DecideWatcher(it->second, [this, who, said](const auto& outcome) {
      const auto present = decisions_.find(who);
      if (present == decisions_.end() || present->second.idempotency.request_id != said) return;
      if (outcome.ok()) decisions_.erase(present);
    });
  }
  around_.After(absl::Seconds(1), [this, who] { SayAgain(who); });
}

}  // namespace presence::simulation
