#include "sip-gateway/transport/socket_transport.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sip-gateway/transport/connection_table.h"
#include "sip-gateway/transport/datagram_batch.h"
#include "sip-gateway/transport/local_addresses.h"
#include "sip-gateway/transport/udp_port.h"

namespace presence::sip {
namespace {

// A failure makes its sender try the next hop, which may fail at once too. Beyond this the rest
// waits for the next turn.
constexpr int kMaxRoundsPerFlush = 4;

}  // namespace

struct SocketTransport::Impl final : UdpPort::Owner, ConnectionTable::Receiver {
  Impl(EventLoop& event_loop, const Clock& the_clock, Random& random,
       const TransportConfig& the_config, MessageSink& message_sink)
      : loop(event_loop),
        clock(the_clock),
        config(the_config),
        sink(message_sink),
        local_addresses(LocalAddresses()),
        connections(loop, clock, random, config, stats, *this) {}

  absl::Status OpenListener(const ListenerConfig& wanted);
  void Advertise(Listener& listener, const ListenerConfig& wanted) const;

  void OnDatagram(UdpPort& port, const SocketAddress& from, std::string_view bytes) override;
  void OnDatagramFailed(SendTag tag, SendFailure why) override;
  void OnQuotedError(const SocketAddress& to, std::string_view quoted, SendFailure why) override;
  void OnStreamMessage(const Source& source, const ScannedMessage& message) override;
  void OnStreamRefused(const Source& source, const Refusal& refusal) override;
  void OnFlowUnusable(FlowId flow, SendFailure why) override;

  bool has_failures() const { return !failed_sends.empty() || !closed_flows.empty(); }
  void FlushSockets();
  void TellFailures();

  EventLoop& loop;
  const Clock& clock;
  const TransportConfig config;
  MessageSink& sink;
  const std::vector<IpAddress> local_addresses;
  TransportStats stats;
  std::vector<Listener> listeners;
  DatagramReader reader;
  DatagramWriter writer;
  std::vector<std::unique_ptr<UdpPort>> ports;  // by listener; null for TCP
  // Told at the end of Flush(), never from inside another call.
  std::vector<std::pair<SendTag, SendFailure>> failed_sends;
  std::vector<std::pair<FlowId, SendFailure>> closed_flows;
  ConnectionTable connections;  // last: its end reports to the above
};

absl::Status SocketTransport::Impl::OpenListener(const ListenerConfig& wanted) {
  const auto fail = [&wanted](const absl::Status& why) {
    return absl::Status(
        why.code(),
        absl::StrCat("cannot listen on ", wanted.protocol == Protocol::kUdp ? "udp:" : "tcp:",
                     wanted.bind.ToString(), ": ", why.message()));
  };
  Listener listener;
  listener.id = static_cast<ListenerId>(listeners.size());
  listener.protocol = wanted.protocol;
  std::unique_ptr<UdpPort> port;
  if (wanted.protocol == Protocol::kUdp) {
    auto opened = UdpPort::Open(loop, wanted.bind, config, reader, writer, stats, *this);
    if (!opened.ok()) return fail(opened.status());
    port = *std::move(opened);
    port->set_id(listener.id);
    listener.local = port->local();
  } else {
    const auto local = connections.Listen(listener.id, wanted.bind);
    if (!local.ok()) return fail(local.status());
    listener.local = *local;
  }
  Advertise(listener, wanted);
  listeners.push_back(std::move(listener));
  ports.push_back(std::move(port));
  return absl::OkStatus();
}

void SocketTransport::Impl::Advertise(Listener& listener, const ListenerConfig& wanted) const {
  listener.advertised_port =
      wanted.advertised_port != 0 ? wanted.advertised_port : listener.local.port();
  const IpAddress& bound = listener.local.ip();
  if (wanted.advertised_host.empty()) {
    listener.advertised_host =
        (bound.is_wildcard() ? ReachableAddress(local_addresses, bound.is_v6()) : bound).ToHost();
    return;
  }
  // RFC 3261 §25.1: an IPv6 address stands in brackets, however the operator wrote it.
  const auto ip = IpAddress::Parse(wanted.advertised_host);
  listener.advertised_host = ip ? ip->ToHost() : wanted.advertised_host;
}

void SocketTransport::Impl::OnDatagram(UdpPort& port, const SocketAddress& from,
                                       std::string_view bytes) {
  const ScanResult scanned = PreScan(bytes, config.scan_limits);
  if (std::holds_alternative<KeepAlive>(scanned)) {
    ++stats.keepalives;  // RFC 5626 §4.4.2 wants STUN over UDP; a bare CRLF wants no answer
    return;
  }
  const Source source{
      .protocol = Protocol::kUdp, .listener = port.id(), .remote = from, .arrived = clock.Now()};
  if (const auto* message = std::get_if<ScannedMessage>(&scanned)) {
    sink.OnMessage(source, *message);
  } else {
    ++stats.refused_messages;
    sink.OnRefused(source, std::get<Refusal>(scanned));
  }
}

void SocketTransport::Impl::OnDatagramFailed(SendTag tag, SendFailure why) {
  failed_sends.emplace_back(tag, why);
}

void SocketTransport::Impl::OnQuotedError(const SocketAddress& to, std::string_view quoted,
                                          SendFailure why) {
  sink.OnIcmpError(to, quoted, why);
}

void SocketTransport::Impl::OnStreamMessage(const Source& source, const ScannedMessage& message) {
  sink.OnMessage(source, message);
}

void SocketTransport::Impl::OnStreamRefused(const Source& source, const Refusal& refusal) {
  sink.OnRefused(source, refusal);
}

void SocketTransport::Impl::OnFlowUnusable(FlowId flow, SendFailure why) {
  closed_flows.emplace_back(flow, why);
}

void SocketTransport::Impl::FlushSockets() {
  connections.Flush();
  for (const auto& port : ports) {
    if (port != nullptr) port->Flush();
  }
}

void SocketTransport::Impl::TellFailures() {
  for (const auto& [tag, why] : std::exchange(failed_sends, {})) sink.OnSendFailed(tag, why);
  for (const auto& [flow, why] : std::exchange(closed_flows, {})) sink.OnFlowClosed(flow, why);
}

absl::StatusOr<std::unique_ptr<SocketTransport>> SocketTransport::Open(
    EventLoop& loop, const Clock& clock, Random& random, const TransportConfig& config,
    MessageSink& sink) {
  if (config.listeners.empty()) return absl::InvalidArgumentError("no listener is configured");
  auto impl = std::make_unique<Impl>(loop, clock, random, config, sink);
  for (const ListenerConfig& wanted : config.listeners) {
    if (absl::Status opened = impl->OpenListener(wanted); !opened.ok()) return opened;
  }
  return std::unique_ptr<SocketTransport>(new SocketTransport(std::move(impl)));
}

SocketTransport::SocketTransport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SocketTransport::~SocketTransport() = default;

FlowId SocketTransport::Send(const NextHop& hop, std::string_view bytes, SendTag tag) {
  // Where no single host is: Linux would take 0.0.0.0 for this very one, and a group for many.
  if (hop.remote.ip().is_wildcard() ? hop.flow == kNoFlow : hop.remote.ip().is_multicast()) {
    if (tag != 0) impl_->failed_sends.emplace_back(tag, SendFailure::kUnreachable);
    return kNoFlow;
  }
  const Listener* const local = ListenerFor(hop);
  if (hop.protocol == Protocol::kUdp) {
    const bool is_ours = local != nullptr && local->protocol == Protocol::kUdp;
    if (is_ours) {
      impl_->ports[local->id]->Queue(hop.remote, bytes, tag);
    } else if (tag != 0) {
      impl_->failed_sends.emplace_back(tag, SendFailure::kNoListener);
    }
    return kNoFlow;
  }
  const bool is_ours = local != nullptr && local->protocol == Protocol::kTcp;
  const ConnectionTable::Queued queued =
      impl_->connections.Queue(hop, is_ours ? local : nullptr, bytes);
  if (queued.flow == kNoFlow && tag != 0) impl_->failed_sends.emplace_back(tag, queued.failure);
  return queued.flow;
}

void SocketTransport::Flush() {
  impl_->FlushSockets();
  for (int round = 0; round < kMaxRoundsPerFlush && impl_->has_failures(); ++round) {
    impl_->TellFailures();
    impl_->FlushSockets();
  }
}

void SocketTransport::Alias(FlowId flow, uint16_t port) { impl_->connections.Alias(flow, port); }

bool SocketTransport::IsOpen(FlowId flow) const { return impl_->connections.IsOpen(flow); }

void SocketTransport::Close(FlowId flow) { impl_->connections.Finish(flow); }

absl::Span<const Listener> SocketTransport::listeners() const { return impl_->listeners; }

bool SocketTransport::IsOwnAddress(const SocketAddress& address) const {
  const auto& local = impl_->local_addresses;
  const bool is_local_ip = address.ip().is_loopback() || address.ip().is_wildcard() ||
                           std::find(local.begin(), local.end(), address.ip()) != local.end();
  return std::any_of(
      impl_->listeners.begin(), impl_->listeners.end(), [&](const Listener& listener) {
        const IpAddress& bound = listener.local.ip();
        if (address.port() == listener.local.port() &&
            (bound == address.ip() ||
             (bound.is_wildcard() && is_local_ip && bound.is_v6() == address.ip().is_v6()))) {
          return true;
        }
        return address.port() == listener.advertised_port &&
               address.ip().ToHost() == listener.advertised_host;
      });
}

absl::Time SocketTransport::Advance(absl::Time now) {
  absl::Time due = impl_->connections.Advance(now);
  for (const auto& port : impl_->ports) {
    if (port != nullptr) due = std::min(due, port->retry_at());
  }
  return impl_->has_failures() ? now : due;
}

void SocketTransport::StopReceiving() {
  impl_->connections.StopAccepting();
  for (const auto& port : impl_->ports) {
    if (port != nullptr) port->StopReceiving();
  }
}

TransportStats SocketTransport::stats() const { return impl_->stats; }

}  // namespace presence::sip
