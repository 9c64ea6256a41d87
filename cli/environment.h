#ifndef PRESENCE_CLI_ENVIRONMENT_H_
#define PRESENCE_CLI_ENVIRONMENT_H_

#include <functional>
#include <istream>
#include <optional>
#include <ostream>
#include <stop_token>
#include <string>

#include "absl/time/time.h"
#include "runtime/clock.h"
#include "runtime/random.h"

namespace presence::cli {

// Where output goes when it goes to a screen.
struct Terminal {
  // Columns of the screen; absent when the output is a pipe or file, which get full text.
  std::optional<int> columns;
  // Whether colours may be used. They never carry the only signal.
  bool colour = false;
};

// Everything presencectl takes from the process it runs in, so that tests run whole commands
// without one. Used from one thread, except `interrupted`, which anybody may request at any time.
struct Environment {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  // Value of an environment variable; nothing when it is unset.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  const Clock& clock;
  Random& random;
  std::stop_token interrupted;
  // Waits this long, or until interrupted.
  std::function<void(absl::Duration)> pause;
  absl::TimeZone time_zone;
  Terminal terminal;
};

}  // namespace presence::cli

#endif  // PRESENCE_CLI_ENVIRONMENT_H_
