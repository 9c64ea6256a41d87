#ifndef PRESENCE_SIP_GATEWAY_TRANSPORT_EVENT_LOOP_IMPL_H_
#define PRESENCE_SIP_GATEWAY_TRANSPORT_EVENT_LOOP_IMPL_H_

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <map>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "sip-gateway/transport/event_loop.h"

namespace presence::sip {

// The Asio side of the event loop, for this room only.
struct EventLoop::Impl {
  // A watched descriptor. Kept alive by the waits under way, which find `is_active` false after
  // Unwatch().
  struct Watched {
    Watched(boost::asio::io_context& context, int fd) : descriptor(context, fd) {}
    boost::asio::posix::stream_descriptor descriptor;
    Readiness interest;
    ReadyCallback ready;
    bool is_active = true;
  };

  explicit Impl(const Clock& process_clock)
      : clock(process_clock), context(1), work(context.get_executor()) {}

  void Wake();
  void Wait(const std::shared_ptr<Watched>& entry, bool for_write);
  // Everything posted so far, and what was to run later and is due.
  void RunPosted();
  absl::Duration LongestWait(absl::Duration max_wait);

  const Clock& clock;
  boost::asio::io_context context;
  const boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;

  absl::Mutex mu;  // a leaf: no other lock is taken while it is held
  std::vector<Task> posted ABSL_GUARDED_BY(mu);
  std::multimap<absl::Time, Task> later ABSL_GUARDED_BY(mu);
  bool is_stopping ABSL_GUARDED_BY(mu) = false;
  bool is_waking ABSL_GUARDED_BY(mu) = false;  // a wake-up is on its way

  // Of the loop's thread.
  std::vector<TurnHook> hooks;
  absl::Time hooks_due = absl::InfinitePast();
  absl::flat_hash_map<int, std::shared_ptr<Watched>> watched;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSPORT_EVENT_LOOP_IMPL_H_
