#ifndef PRESENCE_SIP_GATEWAY_TRANSPORT_EVENT_LOOP_H_
#define PRESENCE_SIP_GATEWAY_TRANSPORT_EVENT_LOOP_H_

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "runtime/clock.h"
#include "runtime/executor.h"

namespace presence::sip {

// The one thread of everything SIP: sockets, transactions, translation. Other threads only Post()
// to it.
//
// It runs in turns: wait for something to happen, handle what has happened (bounded, so that a
// flood does not starve the timers), then run the turn hooks. What many messages of one turn cause
// thus leaves in one batch.
class EventLoop final : public Executor {
 public:
  explicit EventLoop(const Clock& clock);
  ~EventLoop() override;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // From any thread.
  void Post(Task task) override;
  void PostAt(absl::Time when, Task task) override;
  void Stop();

  // Everything below: from the loop's thread, or before it runs.

  // Called at the end of each turn, in the order added: advance timers, flush. Returns when the
  // hook wants to be called again at the latest; InfiniteFuture if it waits for nothing.
  using TurnHook = absl::AnyInvocable<absl::Time(absl::Time now)>;
  void AddTurnHook(TurnHook hook);

  // Calls `ready` in each turn in which `fd` is readable or writable, as asked, until changed or
  // Unwatch()ed. The descriptor stays its owner's; Unwatch() before closing it. For libraries with
  // sockets of their own (c-ares).
  struct Readiness {
    bool is_readable = false;
    bool is_writable = false;
  };
  using ReadyCallback = absl::AnyInvocable<void(Readiness)>;
  void Watch(int fd, Readiness interest, ReadyCallback ready);
  void Unwatch(int fd);

  // Turns until Stop(); then returns once what was posted before it has run.
  void Run();
  // One turn that waits at most `max_wait`.
  void RunOnce(absl::Duration max_wait);

  const Clock& clock() const;

  // The room's own: the Asio context behind it.
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSPORT_EVENT_LOOP_H_
