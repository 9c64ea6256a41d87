#ifndef PRESENCE_SIP_GATEWAY_CORE_LINK_FRAME_STREAM_H_
#define PRESENCE_SIP_GATEWAY_CORE_LINK_FRAME_STREAM_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "presence/v1/gateway.pb.h"

namespace presence::sip {

// What happens on a stream. Called on the gateway's thread, never from inside a call of the
// stream's; the stream may be destroyed from inside any of them.
class FrameStreamEvents {
 public:
  virtual ~FrameStreamEvents() = default;

  // A frame came, in the order sent. Its content may be taken.
  virtual void OnFrame(v1::ConnectResponse& frame) = 0;

  // The stream became writable.
  virtual void OnWritable() = 0;

  // The stream has ended or could not be opened; nothing more comes of it.
  virtual void OnClosed(const absl::Status& why) = 0;
};

// One stream of frames to one core, from its opening to its end. Lives on the gateway's thread.
// Destroying it ends it, and no event follows.
class FrameStream {
 public:
  virtual ~FrameStream() = default;

  // True when Write() may be called. A new stream is writable.
  virtual bool IsWritable() const = 0;

  // Takes the content of `frame` and sends it after all earlier ones; `frame` is empty afterwards.
  // Only while IsWritable().
  virtual void Write(v1::ConnectRequest& frame) = 0;
};

// Opens streams.
class FrameStreamOpener {
 public:
  virtual ~FrameStreamOpener() = default;

  // Starts to open a stream to `address`, which is one of the configured ones. Failure comes as
  // OnClosed().
  virtual std::unique_ptr<FrameStream> Open(const std::string& address,
                                            FrameStreamEvents& events) = 0;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_CORE_LINK_FRAME_STREAM_H_
