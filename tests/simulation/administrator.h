#ifndef PRESENCE_TESTS_SIMULATION_ADMINISTRATOR_H_
#define PRESENCE_TESTS_SIMULATION_ADMINISTRATOR_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/core_host.h"
#include "tests/simulation/surroundings.h"

namespace presence::simulation {

// Decides about watchers, at whichever core: says it again until it is confirmed, or something else
// is said.
class Administrator {
 public:
  using Cores = std::vector<std::unique_ptr<CoreHost>>;
  Administrator(Surroundings& surroundings, Cores& cores) : around_(surroundings), cores_(cores) {}

  void DecideWatcher(const std::string& presentity, const std::string& watcher,
                     WatcherDecision decision);

 private:
  void SayAgain(const std::pair<std::string, std::string>& who);

  Surroundings& around_;
  Cores& cores_;
  // By presentity and watcher; until it is confirmed.
  std::map<std::pair<std::string, std::string>, DecideWatcherCommand> decisions_;
  uint64_t next_ = 1;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_ADMINISTRATOR_H_
