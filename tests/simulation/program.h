#ifndef PRESENCE_TESTS_SIMULATION_PROGRAM_H_
#define PRESENCE_TESTS_SIMULATION_PROGRAM_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/core_host.h"
#include "tests/simulation/surroundings.h"

namespace presence::simulation {

struct ProgramSpec {
  std::string name;                                          // in the history
  std::string watcher;                                       // user part of whom it watches for
  std::vector<std::pair<std::string, std::string>> targets;  // presentity, event
};

// A program that keeps a Watch stream to a core open, to any of them: it comes back after every
// break, with the token it got last, unless it is restarted and has forgotten all.
class Program {
 public:
  Program(Surroundings& surroundings, std::vector<CoreHost*> cores, ProgramSpec spec);
  ~Program();

  // Does something a program does: whatever the dice say.
  void ActAtRandom();
  // Reads on.
  void BehaveWell();
  // Opens a stream if there is none, and it is time.
  void KeepUp();

  const ProgramSpec& spec() const { return spec_; }

 private:
  class Stream;

  void OnItem(const v1::WatchResponse& item);
  void OnEnded(const absl::Status& why, absl::Duration stalled);
  void Break();
  void ComeBackAfter(absl::Duration pause);

  Surroundings& around_;
  const std::vector<CoreHost*> cores_;
  const ProgramSpec spec_;
  std::string token_;
  std::shared_ptr<Stream> stream_;
  bool reads_ = true;
  absl::Time not_before_;
  absl::Time stalled_since_;                           // unless it reads
  absl::Time asks_again_at_ = absl::InfiniteFuture();  // for a target that has ended
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_PROGRAM_H_
