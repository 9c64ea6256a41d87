#ifndef PRESENCE_SIP_GATEWAY_TRANSPORT_SOCKET_TRANSPORT_H_
#define PRESENCE_SIP_GATEWAY_TRANSPORT_SOCKET_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "sip-gateway/transport/event_loop.h"
#include "sip-gateway/transport/transport.h"

namespace presence::sip {

struct ListenerConfig {
  Protocol protocol = Protocol::kUdp;
  SocketAddress bind;            // port 0: the system chooses
  std::string advertised_host;   // empty: the bound address, or for a wildcard that of an interface
  uint16_t advertised_port = 0;  // 0: the bound port
};

struct TransportConfig {
  std::vector<ListenerConfig> listeners;
  ScanLimits scan_limits;

  // Connections from one address, and in all. More are closed at once. (reliability goal SEC7)
  size_t max_connections_per_source = 200;
  size_t max_connections = 20'000;
  // From the first byte of a message to its last; a peer that feeds headers by the drop is closed
  // ("slow loris").
  absl::Duration message_deadline = absl::Seconds(10);
  // A connection that says nothing for so long is closed. Keep-alives (RFC 5626 §4.4.1) are
  // something.
  absl::Duration idle_timeout = absl::Minutes(15);
  // A new connection that has not sent a single byte.
  absl::Duration first_byte_timeout = absl::Seconds(30);
  absl::Duration connect_timeout = absl::Seconds(4);
  // Queued bytes of which the peer takes none for so long.
  absl::Duration write_stall_timeout = absl::Seconds(20);
  // What is still owed to a peer that has finished sending must be answered within this; and after
  // our own end of a connection the peer's is waited for so long, as closing earlier could cost it
  // our last bytes.
  absl::Duration peer_finished_timeout = absl::Seconds(10);
  absl::Duration linger_timeout = absl::Seconds(2);
  // Bytes waiting for a slow peer; more are refused with kOverload.
  size_t max_write_queue = 1 << 20;
  // Datagrams waiting for a full socket buffer; more are refused with kOverload.
  size_t max_datagram_queue = 4096;
  size_t max_datagram_queue_bytes = 16 << 20;
  int socket_buffer_bytes = 4 << 20;
};

// Rising numbers, for metrics.
struct TransportStats {
  uint64_t datagrams_in = 0;
  uint64_t datagrams_out = 0;
  uint64_t receive_batches = 0;
  uint64_t send_batches = 0;
  uint64_t send_retries = 0;       // EAGAIN and ENOBUFS: the kernel's buffer was full
  uint64_t datagrams_dropped = 0;  // could not be sent
  uint64_t icmp_errors = 0;
  uint64_t connections_accepted = 0;
  uint64_t connections_opened = 0;
  uint64_t connections_refused = 0;    // by our own limits
  uint64_t connections_timed_out = 0;  // idle, slow, stalled
  uint64_t stream_messages_in = 0;
  uint64_t keepalives = 0;
  uint64_t refused_messages = 0;
  size_t open_connections = 0;  // now
};

// The production transport: UDP in batches of recvmmsg/sendmmsg, TCP with connection reuse; IPv4
// and IPv6. Lives on the event loop's thread; owns its sockets. Whoever runs the loop calls
// Flush() and then Advance() in a turn hook.
class SocketTransport final : public Transport {
 public:
  // Binds every listener. Errors: InvalidArgument or Unavailable, naming the listener and the
  // system's reason.
  static absl::StatusOr<std::unique_ptr<SocketTransport>> Open(EventLoop& loop, const Clock& clock,
                                                               Random& random,
                                                               const TransportConfig& config,
                                                               MessageSink& sink);
  ~SocketTransport() override;
  SocketTransport(const SocketTransport&) = delete;
  SocketTransport& operator=(const SocketTransport&) = delete;

  FlowId Send(const NextHop& hop, std::string_view bytes, SendTag tag = 0) override;
  void Flush() override;
  void Alias(FlowId flow, uint16_t port) override;
  bool IsOpen(FlowId flow) const override;
  void Close(FlowId flow) override;
  absl::Span<const Listener> listeners() const override;
  bool IsOwnAddress(const SocketAddress& address) const override;

  // Closes what is too slow or idle at `now`; returns when it wants to be called again at the
  // latest.
  absl::Time Advance(absl::Time now);

  // Stops accepting and reading; what is queued is still sent. For an orderly end.
  void StopReceiving();

  TransportStats stats() const;

  struct Impl;

 private:
  explicit SocketTransport(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSPORT_SOCKET_TRANSPORT_H_
