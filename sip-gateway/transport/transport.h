#ifndef PRESENCE_SIP_GATEWAY_TRANSPORT_TRANSPORT_H_
#define PRESENCE_SIP_GATEWAY_TRANSPORT_TRANSPORT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "sip-gateway/sofia/prescan.h"
#include "sip-gateway/transport/address.h"

namespace presence::sip {

// Index into Transport::listeners().
using ListenerId = uint16_t;
inline constexpr ListenerId kAnyListener = 0xffff;

// One TCP connection. Ids are never used twice, also not by the next life of the process, so that a
// flow remembered by a dialog is either this very connection or gone.
using FlowId = uint64_t;
inline constexpr FlowId kNoFlow = 0;

// The sender's own mark on a message, handed back if it cannot be sent; 0 is "do not tell me".
using SendTag = uint64_t;

// A local address that messages come in by.
struct Listener {
  ListenerId id = 0;
  Protocol protocol = Protocol::kUdp;
  SocketAddress local;  // with the port the system chose, where the configuration said 0
  std::string
      advertised_host;  // what peers are told: --advertise, or the local address; IPv6 in brackets
  uint16_t advertised_port = 0;

  // "192.0.2.1:5060", "[2001:db8::1]:5060": for Via (sent-by), and for the host part of a Contact.
  std::string SentBy() const;
};

// Where a message came from.
struct Source {
  Protocol protocol = Protocol::kUdp;
  ListenerId listener =
      kAnyListener;  // it came in by this one, or from a connection opened from it
  FlowId flow = kNoFlow;
  SocketAddress remote = {};
  absl::Time arrived = {};
};

// Where a message goes. With a flow that is still open the flow is used and the rest does not
// matter; without one a message over TCP takes the connection open to `remote` (by its address or
// by alias), or opens one if it may.
struct NextHop {
  Protocol protocol = Protocol::kUdp;
  SocketAddress remote = {};
  ListenerId listener = kAnyListener;  // to send from; any: the first of this protocol and family
  FlowId flow = kNoFlow;
  bool may_connect = true;
  bool is_answer = false;  // may take a connection whose peer has finished sending, but still reads

  friend bool operator==(const NextHop&, const NextHop&) = default;
};

enum class SendFailure : uint8_t {
  kRefused,      // the peer answered: nobody listens there
  kUnreachable,  // no way there
  kTimedOut,     // a connection could not be opened, or took no bytes, in time
  kClosed,       // the connection ended
  kNoListener,   // we have no address of this protocol and family to send from
  kTooLong,      // more than a datagram carries
  kOverload,     // our own queue to this peer, or the number of connections, is at its limit
};
std::string_view SendFailureText(SendFailure failure);

// Takes what comes from the network, on the thread of the event loop, never from inside a call to
// Transport.
class MessageSink {
 public:
  virtual ~MessageSink() = default;

  // One datagram, or one message cut from a stream, that PreScan() found sound; its views live as
  // long as the call.
  virtual void OnMessage(const Source& source, const ScannedMessage& message) = 0;

  // Something that is no sound message. Where `refusal` says it can be answered, the answer may be
  // sent to `source` from inside this call; a stream is closed after that answer, for where the
  // next message starts is lost.
  virtual void OnRefused(const Source& source, const Refusal& refusal) = 0;

  // The connection is gone; whatever was unanswered on it will not be answered there. kRefused,
  // kUnreachable and kTimedOut mean that it never was established.
  virtual void OnFlowClosed(FlowId flow, SendFailure why) = 0;

  // A message sent with a tag was not handed to the network.
  virtual void OnSendFailed(SendTag tag, SendFailure why) = 0;

  // An ICMP error came back for a datagram to `remote`; `quoted` is as much of that datagram as the
  // error quotes. Anybody can send such a thing: believe it only if it quotes what an outsider
  // cannot know.
  virtual void OnIcmpError(const SocketAddress& remote, std::string_view quoted,
                           SendFailure why) = 0;
};

// The sockets, as the transactions see them. Lives on the thread of the event loop.
class Transport {
 public:
  virtual ~Transport() = default;

  // Queues `bytes` (copied) for `hop`; they leave at the next Flush(), datagrams in one batch.
  // Returns the connection they will take, kNoFlow for a datagram or if there is none: then
  // OnSendFailed follows, at the Flush(), as every failure comes later and never from inside this
  // call.
  virtual FlowId Send(const NextHop& hop, std::string_view bytes, SendTag tag = 0) = 0;

  // Hands everything queued to the network and reports failures. The end of a turn of the event
  // loop.
  virtual void Flush() = 0;

  // The peer of `flow` asked by a Via `alias` parameter (RFC 5923) that requests to `port` at its
  // address take this connection. Does nothing where that would take over another connection's
  // address.
  virtual void Alias(FlowId flow, uint16_t port) = 0;

  virtual bool IsOpen(FlowId flow) const = 0;

  // Ends a connection once what is queued on it is sent.
  virtual void Close(FlowId flow) = 0;

  // Constant from the start on.
  virtual absl::Span<const Listener> listeners() const = 0;

  // The listener that messages to `hop` are sent from: the one it names; if that is of another
  // protocol or address family, one at the same address, else the first that fits. nullptr: none.
  const Listener* ListenerFor(const NextHop& hop) const;

  // True if a message to this address would come back to ourselves: the loop that a NOTIFY to our
  // own Contact would make. Ports of both protocols count.
  virtual bool IsOwnAddress(const SocketAddress& address) const = 0;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSPORT_TRANSPORT_H_
