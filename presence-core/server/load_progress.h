#ifndef PRESENCE_CORE_SERVER_LOAD_PROGRESS_H_
#define PRESENCE_CORE_SERVER_LOAD_PROGRESS_H_

#include <ostream>
#include <string>

#include "absl/time/time.h"
#include "presence-core/engine/engine.h"
#include "runtime/clock.h"

namespace presence {

// Says how far a start has come with what is stored: one line of a terminal, written over and over,
// which is gone in the end. Not thread-safe.
class LoadProgress {
 public:
  // Without a terminal nothing is shown on the way.
  LoadProgress(const Clock& clock, std::ostream* terminal);

  void OnLoaded(const Engine::Loaded& loaded);
  // Takes the line away. Returns what to log: "loaded 3 resources (...) in 0.1 s; ...".
  std::string Finish(const Engine::Loaded& loaded);

 private:
  const Clock& clock_;
  std::ostream* const terminal_;
  const absl::Time start_;
  absl::Time show_at_;
  bool is_shown_ = false;
};

}  // namespace presence

#endif  // PRESENCE_CORE_SERVER_LOAD_PROGRESS_H_
