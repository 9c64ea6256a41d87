#include "sip-gateway/transport/connection_table.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "sip-gateway/transport/event_loop_impl.h"

namespace presence::sip {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr size_t kReadBytes = 64 * 1024;
constexpr int kMaxAcceptsPerTurn = 64;
constexpr absl::Duration kNoDescriptorPause = absl::Milliseconds(100);

tcp::endpoint ToEndpoint(const SocketAddress& address) {
  sockaddr_storage storage{};
  const uint32_t length = address.ToSockaddr(storage);
  tcp::endpoint endpoint;
  endpoint.resize(length);
  std::memcpy(endpoint.data(), &storage, length);
  return endpoint;
}

SocketAddress FromEndpoint(const tcp::endpoint& endpoint) {
  sockaddr_storage storage{};
  std::memcpy(&storage, endpoint.data(), endpoint.size());
  return SocketAddress::FromSockaddr(storage);
}

tcp FamilyOf(const SocketAddress& address) { return address.ip().is_v6() ? tcp::v6() : tcp::v4(); }

}  // namespace

ConnectionTable::ConnectionTable(EventLoop& loop, const Clock& clock, Random& random,
                                 const TransportConfig& config, TransportStats& stats,
                                 Receiver& receiver)
    : loop_(loop),
      clock_(clock),
      config_(config),
      stats_(stats),
      receiver_(receiver),
      scratch_(kReadBytes),
      // A random start, so that a flow id of an earlier process means no connection of this one.
      next_flow_((random.Next64() << 24) | 1),
      wheel_(clock.Now()) {}

ConnectionTable::~ConnectionTable() {
  StopAccepting();
  // Waits under way keep a connection alive but never call back once it is closed.
  std::vector<std::shared_ptr<TcpConnection>> connections;
  for (auto& [flow, held] : held_) connections.push_back(held.connection);
  for (auto& connection : connections) connection->Abort(SendFailure::kClosed);
}

absl::StatusOr<SocketAddress> ConnectionTable::Listen(ListenerId listener,
                                                      const SocketAddress& bind) {
  auto acceptor = std::make_shared<Acceptor>(loop_.impl().context, listener);
  error_code error;
  acceptor->socket.open(FamilyOf(bind), error);
  if (!error) acceptor->socket.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && bind.ip().is_v6()) {
    acceptor->socket.set_option(boost::asio::ip::v6_only(true), error);
  }
  if (!error) acceptor->socket.bind(ToEndpoint(bind), error);
  if (!error) acceptor->socket.listen(tcp::acceptor::max_listen_connections, error);
  if (!error) acceptor->socket.non_blocking(true, error);
  if (error) return absl::UnavailableError(error.message());
  const SocketAddress local = FromEndpoint(acceptor->socket.local_endpoint(error));
  acceptors_.push_back(acceptor);
  WaitForConnections(acceptor);
  return local;
}

void ConnectionTable::WaitForConnections(const std::shared_ptr<Acceptor>& acceptor) {
  if (std::exchange(acceptor->is_waiting, true)) return;
  acceptor->socket.async_wait(tcp::acceptor::wait_read, [this, acceptor](const error_code& error) {
    // Closed, and then the table may be gone too.
    if (error == boost::asio::error::operation_aborted) return;
    if (!acceptor->socket.is_open()) return;
    acceptor->is_waiting = false;
    Accept(acceptor);
  });
}

void ConnectionTable::Accept(const std::shared_ptr<Acceptor>& acceptor) {
  for (int i = 0; i < kMaxAcceptsPerTurn; ++i) {
    error_code error;
    tcp::socket socket(loop_.impl().context);
    acceptor->socket.accept(socket, error);
    if (error == boost::asio::error::no_descriptors || error == boost::asio::error::no_memory ||
        error.value() == ENFILE) {
      // Asking again at once would spin until somebody hangs up; the kernel keeps the peers waiting
      // meanwhile.
      accept_again_at_ = clock_.Now() + kNoDescriptorPause;
      return;
    }
    // Any other error is of the one connection: it ended before we took it.
    if (error == boost::asio::error::would_block) break;
    if (!error && !Admit(std::move(socket), acceptor->listener)) ++stats_.connections_refused;
  }
  WaitForConnections(acceptor);
}

bool ConnectionTable::Admit(tcp::socket socket, ListenerId listener) {
  error_code error;
  const SocketAddress remote = FromEndpoint(socket.remote_endpoint(error));
  if (error) return true;  // already gone
  if (held_.size() >= config_.max_connections) return false;
  const auto from = accepted_from_.find(remote.ip());
  if (from != accepted_from_.end() && from->second >= config_.max_connections_per_source) {
    return false;
  }
  ++accepted_from_[remote.ip()];
  ++stats_.connections_accepted;
  Hold(std::move(socket),
       {.flow = next_flow_++, .listener = listener, .remote = remote, .is_accepted = true})
      ->StartAccepted();
  return true;
}

TcpConnection* ConnectionTable::Hold(tcp::socket socket, const TcpConnection::Identity& identity) {
  auto connection = std::make_shared<TcpConnection>(std::move(socket), identity, clock_, config_,
                                                    absl::MakeSpan(scratch_), stats_, *this);
  TcpConnection* const raw = connection.get();
  held_.emplace(identity.flow, Held{.connection = std::move(connection)});
  // The newest connection from an address is the live one: a peer that uses one source port again
  // has lost the other.
  by_remote_[identity.remote] = identity.flow;
  stats_.open_connections = held_.size();
  OnDeadlineMoved(*raw);
  return raw;
}

TcpConnection* ConnectionTable::Find(const NextHop& hop) {
  if (const auto it = held_.find(hop.flow); it != held_.end()) {
    TcpConnection& connection = *it->second.connection;
    if (hop.is_answer ? connection.can_take_answers() : connection.can_take_requests()) {
      return &connection;
    }
  }
  // "May not connect" is "this very connection": another one would not be the flow asked for.
  if (hop.flow != kNoFlow && !hop.may_connect) return nullptr;
  const auto it = by_remote_.find(hop.remote);
  if (it == by_remote_.end()) return nullptr;
  TcpConnection& connection = *held_.at(it->second).connection;
  return connection.can_take_requests() ? &connection : nullptr;
}

TcpConnection* ConnectionTable::Connect(const NextHop& hop, const Listener& local,
                                        SendFailure& failure) {
  if (held_.size() >= config_.max_connections) {
    failure = SendFailure::kOverload;
    return nullptr;
  }
  tcp::socket socket(loop_.impl().context);
  error_code error;
  socket.open(FamilyOf(hop.remote), error);
  if (!error && !local.local.ip().is_wildcard()) {
    // From the address that the Via names, at any port: the listener has its own.
    const int no_port_yet = 1;
    setsockopt(socket.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &no_port_yet,
               sizeof(no_port_yet));
    socket.bind(ToEndpoint(SocketAddress(local.local.ip(), 0)), error);
  }
  if (error) {
    failure = SendFailure::kUnreachable;
    return nullptr;
  }
  ++stats_.connections_opened;
  TcpConnection* const connection =
      Hold(std::move(socket), {.flow = next_flow_++, .listener = local.id, .remote = hop.remote});
  connection->StartConnecting(ToEndpoint(hop.remote));
  return connection;
}

ConnectionTable::Queued ConnectionTable::Queue(const NextHop& hop, const Listener* local,
                                               std::string_view bytes) {
  TcpConnection* connection = Find(hop);
  if (connection == nullptr) {
    if (!hop.may_connect) return {.failure = SendFailure::kClosed};
    if (local == nullptr) return {.failure = SendFailure::kNoListener};
    SendFailure failure = SendFailure::kUnreachable;
    connection = Connect(hop, *local, failure);
    if (connection == nullptr) return {.failure = failure};
  }
  if (!connection->Queue(bytes, hop.is_answer)) return {.failure = SendFailure::kOverload};
  OnQueued(*connection);
  return {.flow = connection->identity().flow};
}

void ConnectionTable::Flush() {
  std::vector<std::shared_ptr<TcpConnection>> queued;
  queued.swap(queued_);
  for (const auto& connection : queued) connection->Flush();
  if (queued_.empty()) {
    queued.clear();
    queued_.swap(queued);  // keeps its space
  }
}

void ConnectionTable::Alias(FlowId flow, uint16_t port) {
  const auto it = held_.find(flow);
  if (it == held_.end() || !it->second.connection->can_take_requests()) return;
  TcpConnection& connection = *it->second.connection;
  // One, as RFC 5923 knows one sent-by per connection; a peer that varies it does not fill the
  // index.
  if (!connection.aliases().empty()) return;
  const SocketAddress alias(connection.identity().remote.ip(), port);
  if (by_remote_.emplace(alias, flow).second) connection.aliases().push_back(alias);
}

bool ConnectionTable::IsOpen(FlowId flow) const {
  const auto it = held_.find(flow);
  return it != held_.end() && it->second.connection->can_take_requests();
}

void ConnectionTable::Finish(FlowId flow) {
  if (const auto it = held_.find(flow); it != held_.end()) it->second.connection->Finish();
}

absl::Time ConnectionTable::Advance(absl::Time now) {
  if (now >= accept_again_at_) {
    accept_again_at_ = absl::InfiniteFuture();
    if (is_accepting_) {
      for (const auto& acceptor : acceptors_) WaitForConnections(acceptor);
    }
  }
  due_.clear();
  wheel_.Advance(now, due_);
  for (const FlowId flow : due_) {
    const auto it = held_.find(flow);
    if (it == held_.end()) continue;
    it->second.timer = kNoTimer;
    it->second.timer_at = absl::InfiniteFuture();
    const std::shared_ptr<TcpConnection> connection = it->second.connection;
    connection->CheckDeadline(now);
    OnDeadlineMoved(*connection);  // not yet: it has moved away since the timer was set
  }
  return std::min(wheel_.NextDue(), accept_again_at_);
}

void ConnectionTable::StopAccepting() {
  is_accepting_ = false;
  for (const auto& acceptor : acceptors_) {
    error_code ignored;
    acceptor->socket.close(ignored);
  }
}

Source ConnectionTable::SourceOf(const TcpConnection& connection) const {
  const TcpConnection::Identity& identity = connection.identity();
  return {.protocol = Protocol::kTcp,
          .listener = identity.listener,
          .flow = identity.flow,
          .remote = identity.remote,
          .arrived = clock_.Now()};
}

void ConnectionTable::OnStreamMessage(TcpConnection& connection, const ScannedMessage& message) {
  receiver_.OnStreamMessage(SourceOf(connection), message);
}

void ConnectionTable::OnStreamRefused(TcpConnection& connection, const Refusal& refusal) {
  receiver_.OnStreamRefused(SourceOf(connection), refusal);
}

void ConnectionTable::OnUnusable(TcpConnection& connection, SendFailure why) {
  const TcpConnection::Identity& identity = connection.identity();
  Unindex(identity.remote, identity.flow);
  for (const SocketAddress& alias : connection.aliases()) Unindex(alias, identity.flow);
  receiver_.OnFlowUnusable(identity.flow, why);
}

void ConnectionTable::OnClosed(TcpConnection& connection) {
  const TcpConnection::Identity& identity = connection.identity();
  const auto it = held_.find(identity.flow);
  if (it == held_.end()) return;
  wheel_.Cancel(it->second.timer);
  held_.erase(it);
  stats_.open_connections = held_.size();
  if (!identity.is_accepted) return;
  const auto from = accepted_from_.find(identity.remote.ip());
  if (--from->second == 0) accepted_from_.erase(from);
}

// A timer that rings too early is set anew then; only a deadline nearer than the timer moves it
// now. So what happens with every message, that the idle deadline goes further away, costs nothing.
void ConnectionTable::OnDeadlineMoved(TcpConnection& connection) {
  const auto it = held_.find(connection.identity().flow);
  if (it == held_.end()) return;
  Held& held = it->second;
  const absl::Time deadline = connection.Deadline();
  if (deadline >= held.timer_at) return;
  wheel_.Cancel(held.timer);
  held.timer = wheel_.Set(deadline, connection.identity().flow);
  held.timer_at = deadline;
}

void ConnectionTable::OnQueued(TcpConnection& connection) {
  queued_.push_back(connection.shared_from_this());
}

void ConnectionTable::Unindex(const SocketAddress& remote, FlowId flow) {
  const auto it = by_remote_.find(remote);
  if (it != by_remote_.end() && it->second == flow) by_remote_.erase(it);
}

}  // namespace presence::sip
