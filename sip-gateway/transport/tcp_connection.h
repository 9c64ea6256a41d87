#ifndef PRESENCE_SIP_GATEWAY_TRANSPORT_TCP_CONNECTION_H_
#define PRESENCE_SIP_GATEWAY_TRANSPORT_TCP_CONNECTION_H_

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "runtime/clock.h"
#include "sip-gateway/sofia/prescan.h"
#include "sip-gateway/transport/socket_transport.h"
#include "sip-gateway/transport/transport.h"

namespace presence::sip {

// One TCP connection: frames what comes, queues what goes. Lives on the event loop's thread; owns
// its socket. Waits under way hold it, so it outlives its owner's interest.
//
//   connecting -> open -> finishing -> lingering -> closed
//                   \---> peer finished ----------/
//
// Open: reads and writes. Finishing: we are done with it (a refused message, Close()) and only send
// what is queued. Lingering: our end is shut, what comes is thrown away until the peer shuts its
// own; closing with unread bytes would reset the connection and could cost the peer our last
// message. Peer finished: the peer has shut its end but may still read, so the requests it sent are
// answered; nothing else is sent to it, as it could not answer.
class TcpConnection final : public std::enable_shared_from_this<TcpConnection> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnStreamMessage(TcpConnection& connection, const ScannedMessage& message) = 0;
    virtual void OnStreamRefused(TcpConnection& connection, const Refusal& refusal) = 0;
    // No request sent on it will be answered any more. Once, and before OnClosed.
    virtual void OnUnusable(TcpConnection& connection, SendFailure why) = 0;
    // The socket is closed. Once.
    virtual void OnClosed(TcpConnection& connection) = 0;
    // Its deadline has come closer.
    virtual void OnDeadlineMoved(TcpConnection& connection) = 0;
    // It has something to write that Flush() was not called for.
    virtual void OnQueued(TcpConnection& connection) = 0;
  };

  struct Identity {
    FlowId flow = kNoFlow;
    ListenerId listener = kAnyListener;
    SocketAddress remote;
    bool is_accepted = false;
  };

  // `scratch` is shared with other connections: bytes stay in it during one read only.
  TcpConnection(boost::asio::ip::tcp::socket socket, const Identity& identity, const Clock& clock,
                const TransportConfig& config, absl::Span<char> scratch, TransportStats& stats,
                Owner& owner);

  // One of the two, once, after construction.
  void StartConnecting(const boost::asio::ip::tcp::endpoint& to);
  void StartAccepted();

  // Queues bytes; they leave at Flush(). False if the queue has no room, or nothing can be sent any
  // more.
  bool Queue(std::string_view bytes, bool is_answer);
  void Flush();

  // Ends it once everything queued is sent.
  void Finish();
  // Ends it now, whatever is queued.
  void Abort(SendFailure why);

  // When it has been too slow; InfiniteFuture once it is closed.
  absl::Time Deadline() const;
  // Acts on a deadline that is past at `now`.
  void CheckDeadline(absl::Time now);

  const Identity& identity() const { return identity_; }
  bool can_take_requests() const { return state_ == State::kConnecting || state_ == State::kOpen; }
  bool can_take_answers() const { return can_take_requests() || state_ == State::kPeerFinished; }

  // Ports of RFC 5923 aliases that lead here; kept for the owner.
  std::vector<SocketAddress>& aliases() { return aliases_; }

 private:
  enum class State : uint8_t { kConnecting, kOpen, kPeerFinished, kFinishing, kLingering, kClosed };

  void WaitReadable();
  void WaitWritable();
  void OnConnected(const boost::system::error_code& error);
  void OnReadable();
  void OnPeerFinished();
  void TakeMessages(absl::Time now);
  void AnswerPing();
  // In the states that end once all is written: goes on to the next.
  void EndIfDone();
  void TellUnusable(SendFailure why);
  size_t queued_bytes() const { return out_.size() - out_sent_; }

  boost::asio::ip::tcp::socket socket_;
  const Identity identity_;
  const Clock& clock_;
  const TransportConfig& config_;
  const absl::Span<char> scratch_;
  TransportStats& stats_;
  Owner& owner_;
  State state_ = State::kConnecting;
  bool is_waiting_writable_ = false;
  bool has_said_something_ = false;
  bool has_peer_finished_ = false;
  bool is_unusable_told_ = false;
  uint32_t unanswered_requests_ = 0;
  StreamFramer framer_;
  std::string out_;  // unsent from out_sent_ on
  size_t out_sent_ = 0;
  absl::Time state_since_;
  absl::Time last_heard_;
  absl::Time message_since_ = absl::InfiniteFuture();  // start of the message that is half here
  absl::Time write_stalled_since_ = absl::InfiniteFuture();  // the peer has taken nothing since
  std::vector<SocketAddress> aliases_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSPORT_TCP_CONNECTION_H_
