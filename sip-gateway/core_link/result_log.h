#ifndef PRESENCE_SIP_GATEWAY_CORE_LINK_RESULT_LOG_H_
#define PRESENCE_SIP_GATEWAY_CORE_LINK_RESULT_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "absl/time/time.h"
#include "presence/v1/gateway.pb.h"

namespace presence::sip {

// How NOTIFYs ended, on the way to the core. Results are not acknowledged, so those written lately
// are kept: when the stream breaks they may not have arrived, and are told again. A result told
// twice does no harm, as the core knows by its id that it no longer waits for it. Bounded; the
// oldest goes.
class ResultLog {
 public:
  // What a stream can lose: the frames the sockets of both ends still held.
  static constexpr size_t kMaxWritten = 4096;
  static constexpr absl::Duration kWrittenFor = absl::Seconds(3);

  explicit ResultLog(size_t max_waiting) : max_waiting_(max_waiting) {}

  void Add(v1::NotifyResult result);

  bool empty() const { return waiting_.empty(); }
  const v1::NotifyResult& front() const { return waiting_.front(); }
  const std::deque<v1::NotifyResult>& waiting() const { return waiting_; }
  // The front has been written into a frame at `now`.
  void MarkFrontWritten(absl::Time now);

  // The stream broke: what was written lately waits again, in order and before all later ones.
  void TakeBackWritten(absl::Time now);

  uint64_t dropped() const { return dropped_; }

 private:
  void ForgetOld(absl::Time now);

  const size_t max_waiting_;
  std::deque<v1::NotifyResult> waiting_;
  std::deque<std::pair<absl::Time, v1::NotifyResult>> written_;
  uint64_t dropped_ = 0;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_CORE_LINK_RESULT_LOG_H_
