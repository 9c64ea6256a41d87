#ifndef PRESENCE_SIP_GATEWAY_CORE_LINK_GRPC_STREAM_H_
#define PRESENCE_SIP_GATEWAY_CORE_LINK_GRPC_STREAM_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "runtime/executor.h"
#include "sip-gateway/core_link/frame_stream.h"

namespace presence::sip {

struct GrpcStreamConfig {
  // A connection on which nothing has come for `keepalive_time` is pinged, and given up when no
  // answer comes within `keepalive_timeout`. The core must allow such pings.
  absl::Duration keepalive_time = absl::Seconds(10);
  absl::Duration keepalive_timeout = absl::Seconds(3);
  // Larger than any frame.
  int max_message_bytes = 512 * 1024;
};

// Opens streams to `unix:PATH` or `HOST:PORT` by gRPC, a connection each, so that a lost core is
// tried again when Link wants and not when the channel's own back-off allows.
//
// gRPC calls back on threads of its own, two at once. What it says is put in a box and `loop` is
// posted to once until the box is emptied; everything else happens there. Create and destroy on the
// loop's thread; destroy after all its streams. The destructor waits until gRPC has let go of them,
// and `loop` outlives it.
class GrpcStreamOpener final : public FrameStreamOpener {
 public:
  explicit GrpcStreamOpener(Executor& loop, const GrpcStreamConfig& config = {});
  ~GrpcStreamOpener() override;
  GrpcStreamOpener(const GrpcStreamOpener&) = delete;
  GrpcStreamOpener& operator=(const GrpcStreamOpener&) = delete;

  std::unique_ptr<FrameStream> Open(const std::string& address, FrameStreamEvents& events) override;

 private:
  class OpenCalls;

  Executor& loop_;
  const GrpcStreamConfig config_;
  const std::shared_ptr<OpenCalls> open_calls_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_CORE_LINK_GRPC_STREAM_H_
