#ifndef PRESENCE_SIP_GATEWAY_TRANSPORT_UDP_PORT_H_
#define PRESENCE_SIP_GATEWAY_TRANSPORT_UDP_PORT_H_

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sip-gateway/transport/datagram_batch.h"
#include "sip-gateway/transport/event_loop.h"
#include "sip-gateway/transport/socket_transport.h"
#include "sip-gateway/transport/transport.h"

namespace presence::sip {

// One bound datagram socket: reads and writes in batches. Lives on the event loop's thread; owns
// the socket and the datagrams queued on it.
class UdpPort {
 public:
  // Takes what a port has to tell, from the event loop or from inside Queue() and Flush().
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnDatagram(UdpPort& port, const SocketAddress& from, std::string_view bytes) = 0;
    virtual void OnDatagramFailed(SendTag tag, SendFailure why) = 0;
    virtual void OnQuotedError(const SocketAddress& to, std::string_view quoted,
                               SendFailure why) = 0;
  };

  // Errors: Unavailable, with the system's reason.
  static absl::StatusOr<std::unique_ptr<UdpPort>> Open(EventLoop& loop, const SocketAddress& bind,
                                                       const TransportConfig& config,
                                                       DatagramReader& reader,
                                                       DatagramWriter& writer,
                                                       TransportStats& stats, Owner& owner);
  UdpPort(const UdpPort&) = delete;
  UdpPort& operator=(const UdpPort&) = delete;
  ~UdpPort();

  SocketAddress local() const { return local_; }
  ListenerId id() const { return id_; }
  void set_id(ListenerId id) { id_ = id; }

  void Queue(const SocketAddress& to, std::string_view bytes, SendTag tag);

  // Sends what is queued, as far as the socket takes it, and reads on at the next turn.
  void Flush();

  // When a full device queue is worth another try; InfiniteFuture if nothing waits for that.
  absl::Time retry_at() const { return retry_at_; }

  void StopReceiving();

 private:
  struct Datagram {
    SocketAddress to;
    size_t begin;
    size_t size;
    SendTag tag;
  };
  // Waits hold it, so that a completion after the port's end finds nobody.
  struct Life {
    UdpPort* port;
  };

  UdpPort(EventLoop& loop, int fd, const TransportConfig& config, DatagramReader& reader,
          DatagramWriter& writer, TransportStats& stats, Owner& owner);
  void WaitReadable();
  void WaitWritable();
  void Receive();
  void DrainErrors();
  // Sends one batch from the front; false if the socket takes no more for now.
  bool SendBatch();
  void FailFront(SendFailure why);
  void DropSent();

  EventLoop& loop_;
  boost::asio::posix::stream_descriptor socket_;
  const TransportConfig& config_;
  DatagramReader& reader_;
  DatagramWriter& writer_;
  TransportStats& stats_;
  Owner& owner_;
  const std::shared_ptr<Life> life_;
  SocketAddress local_;
  ListenerId id_ = 0;
  bool is_receiving_ = true;
  bool is_waiting_readable_ = false;
  bool is_waiting_writable_ = false;
  bool has_pending_error_ =
      false;  // the last send failed with an error that may be another datagram's
  absl::Time retry_at_ = absl::InfiniteFuture();
  std::string bytes_;             // of all queued datagrams, one after the other
  std::vector<Datagram> queued_;  // from sent_ on
  size_t sent_ = 0;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSPORT_UDP_PORT_H_
