#ifndef PRESENCE_SIP_GATEWAY_TRANSPORT_CONNECTION_TABLE_H_
#define PRESENCE_SIP_GATEWAY_TRANSPORT_CONNECTION_TABLE_H_

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "runtime/timer_wheel.h"
#include "sip-gateway/transport/event_loop.h"
#include "sip-gateway/transport/socket_transport.h"
#include "sip-gateway/transport/tcp_connection.h"
#include "sip-gateway/transport/transport.h"

namespace presence::sip {

// All TCP connections, accepted and opened: who may have one, which one leads where, when one has
// been too slow. Lives on the event loop's thread; owns the listening sockets and the connections.
//
// Reuse. A connection serves requests in both directions. It is found by its flow id; by the
// address of its far end (RFC 3261 §18: the destination of one we opened, the source of one we
// accepted); and by alias. RFC 5923 defines aliases for TLS only, where a certificate proves who
// may be spoken to on the connection. On bare TCP we take the peer's word for a port of the very
// address it connects from, and never in place of a connection that is there already: what this can
// divert is what whoever shares that IP address could divert anyway.
class ConnectionTable final : public TcpConnection::Owner {
 public:
  class Receiver {
   public:
    virtual ~Receiver() = default;
    virtual void OnStreamMessage(const Source& source, const ScannedMessage& message) = 0;
    virtual void OnStreamRefused(const Source& source, const Refusal& refusal) = 0;
    // May come from inside any call.
    virtual void OnFlowUnusable(FlowId flow, SendFailure why) = 0;
  };

  ConnectionTable(EventLoop& loop, const Clock& clock, Random& random,
                  const TransportConfig& config, TransportStats& stats, Receiver& receiver);
  ~ConnectionTable() override;
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  // Listens, and returns the address bound. Errors: Unavailable, with the system's reason.
  absl::StatusOr<SocketAddress> Listen(ListenerId listener, const SocketAddress& bind);

  // The outcome of queueing a message: the connection it is on, or why it is on none.
  struct Queued {
    FlowId flow = kNoFlow;
    SendFailure failure = SendFailure::kClosed;
  };
  // `local` is the listener from whose address a connection is opened if need be; nullptr: there is
  // none.
  Queued Queue(const NextHop& hop, const Listener* local, std::string_view bytes);

  void Flush();
  void Alias(FlowId flow, uint16_t port);
  bool IsOpen(FlowId flow) const;
  void Finish(FlowId flow);
  absl::Time Advance(absl::Time now);
  void StopAccepting();

 private:
  struct Acceptor {
    Acceptor(boost::asio::io_context& context, ListenerId id) : socket(context), listener(id) {}
    boost::asio::ip::tcp::acceptor socket;
    const ListenerId listener;
    bool is_waiting = false;
  };
  struct Held {
    std::shared_ptr<TcpConnection> connection;
    TimerId timer = kNoTimer;
    absl::Time timer_at = absl::InfiniteFuture();
  };

  void OnStreamMessage(TcpConnection& connection, const ScannedMessage& message) override;
  void OnStreamRefused(TcpConnection& connection, const Refusal& refusal) override;
  void OnUnusable(TcpConnection& connection, SendFailure why) override;
  void OnClosed(TcpConnection& connection) override;
  void OnDeadlineMoved(TcpConnection& connection) override;
  void OnQueued(TcpConnection& connection) override;

  void WaitForConnections(const std::shared_ptr<Acceptor>& acceptor);
  void Accept(const std::shared_ptr<Acceptor>& acceptor);
  bool Admit(boost::asio::ip::tcp::socket socket, ListenerId listener);
  TcpConnection* Find(const NextHop& hop);
  TcpConnection* Connect(const NextHop& hop, const Listener& local, SendFailure& failure);
  TcpConnection* Hold(boost::asio::ip::tcp::socket socket, const TcpConnection::Identity& identity);
  Source SourceOf(const TcpConnection& connection) const;
  void Unindex(const SocketAddress& remote, FlowId flow);

  EventLoop& loop_;
  const Clock& clock_;
  const TransportConfig& config_;
  TransportStats& stats_;
  Receiver& receiver_;
  std::vector<char> scratch_;  // what one read takes at most
  std::vector<std::shared_ptr<Acceptor>> acceptors_;
  bool is_accepting_ = true;
  absl::Time accept_again_at_ = absl::InfiniteFuture();  // when descriptors had run out
  FlowId next_flow_;
  absl::flat_hash_map<FlowId, Held> held_;
  absl::flat_hash_map<SocketAddress, FlowId> by_remote_;  // far ends and aliases
  absl::flat_hash_map<IpAddress, size_t> accepted_from_;
  std::vector<std::shared_ptr<TcpConnection>> queued_;  // have bytes for Flush(); may repeat
  TimerWheel wheel_;
  std::vector<uint64_t> due_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSPORT_CONNECTION_TABLE_H_
