#include "cli/signal_listener.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "cli/exit_code.h"

namespace presence::cli {

SignalListener::SignalListener(std::stop_source stop) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  signals_ = signalfd(-1, &signals, SFD_CLOEXEC);
  wake_up_ = eventfd(0, EFD_CLOEXEC);
  // Without descriptors the signals keep their default action, which also ends the process.
  if (signals_ < 0 || wake_up_ < 0) return;
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::thread([this, stop] { Listen(stop); });
}

SignalListener::~SignalListener() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    while (write(wake_up_, &one, sizeof one) < 0 && errno == EINTR) {
    }
    thread_.join();
  }
  if (signals_ >= 0) close(signals_);
  if (wake_up_ >= 0) close(wake_up_);
}

void SignalListener::Listen(std::stop_source stop) {
  while (true) {
    pollfd descriptors[] = {{signals_, POLLIN, 0}, {wake_up_, POLLIN, 0}};
    if (poll(descriptors, 2, -1) < 0) continue;  // EINTR
    if (descriptors[1].revents != 0) return;
    signalfd_siginfo info;
    if (read(signals_, &info, sizeof info) != sizeof info) continue;
    // request_stop is false when it was requested before.
    if (!stop.request_stop()) _exit(static_cast<int>(ExitCode::kInterrupted));
  }
}

}  // namespace presence::cli
