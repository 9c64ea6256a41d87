#ifndef PRESENCE_CLI_SIGNAL_LISTENER_H_
#define PRESENCE_CLI_SIGNAL_LISTENER_H_

#include <stop_token>
#include <thread>

namespace presence::cli {

// Turns the first Ctrl-C or SIGTERM into a stop request, so that a command can end in order; a
// second one ends the process at once with code 130. Make it before any other thread starts:
// threads inherit that these signals are blocked. Owns one thread.
class SignalListener final {
 public:
  explicit SignalListener(std::stop_source stop);
  ~SignalListener();

 private:
  void Listen(std::stop_source stop);

  int signals_ = -1;  // signalfd
  int wake_up_ = -1;  // eventfd: the destructor wants the thread back
  std::thread thread_;
};

}  // namespace presence::cli

#endif  // PRESENCE_CLI_SIGNAL_LISTENER_H_
