#include "sip-gateway/transport/udp_port.h"

#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "sip-gateway/transport/event_loop_impl.h"

namespace presence::sip {
namespace {

using boost::asio::posix::stream_descriptor;

// How long to leave a full device queue alone: ENOBUFS has no readiness to wait for.
constexpr absl::Duration kNoBufferPause = absl::Milliseconds(5);
// More than one MTU of quoted datagram is of no use.
constexpr size_t kMaxQuoted = 1500;
constexpr int kMaxErrorsPerTurn = 256;
// More than the NOTIFYs made in a turn: their answers must be read in one as well, or they pile up
// in the kernel with everybody's requests behind them.
constexpr int kBatchesPerTurn = 8;
// Space for the one control message that comes with an error.
constexpr size_t kControlBytes = 512;

void SetOption(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof(value));
}

// Beyond net.core.rmem_max only with CAP_NET_ADMIN; what the system grants is used.
void SetBuffers(int fd, int bytes) {
  for (const auto& [forced, plain] :
       {std::pair{SO_RCVBUFFORCE, SO_RCVBUF}, std::pair{SO_SNDBUFFORCE, SO_SNDBUF}}) {
    if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)) != 0) {
      SetOption(fd, SOL_SOCKET, plain, bytes);
    }
  }
}

// RFC 3261 §18.4: unreachable and parameter problem are failures, the rest (source quench, time
// exceeded, fragmentation needed) is not ours to act on.
std::optional<SendFailure> FailureOf(const sock_extended_err& error) {
  if (error.ee_origin == SO_EE_ORIGIN_ICMP) {
    if (error.ee_type == ICMP_PARAMETERPROB) return SendFailure::kUnreachable;
    if (error.ee_type != ICMP_DEST_UNREACH || error.ee_code == ICMP_FRAG_NEEDED)
      return std::nullopt;
    return error.ee_code == ICMP_PORT_UNREACH || error.ee_code == ICMP_PROT_UNREACH
               ? SendFailure::kRefused
               : SendFailure::kUnreachable;
  }
  if (error.ee_origin == SO_EE_ORIGIN_ICMP6) {
    if (error.ee_type == ICMP6_PARAM_PROB) return SendFailure::kUnreachable;
    if (error.ee_type != ICMP6_DST_UNREACH) return std::nullopt;
    return error.ee_code == ICMP6_DST_UNREACH_NOPORT ? SendFailure::kRefused
                                                     : SendFailure::kUnreachable;
  }
  return std::nullopt;
}

const sock_extended_err* ErrorIn(msghdr& message) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
        (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
      return reinterpret_cast<const sock_extended_err*>(CMSG_DATA(c));
    }
  }
  return nullptr;
}

absl::StatusOr<int> BindSocket(const SocketAddress& bind_to, int buffer_bytes) {
  const bool is_v6 = bind_to.ip().is_v6();
  const int fd =
      socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
  if (fd < 0) return absl::UnavailableError(std::system_category().message(errno));
  SetBuffers(fd, buffer_bytes);
  if (is_v6) {
    // IPv4 has listeners of its own: two families on one socket would blur who sends from where.
    SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    SetOption(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
  } else {
    SetOption(fd, IPPROTO_IP, IP_RECVERR, 1);
  }
  sockaddr_storage storage{};
  const socklen_t length = bind_to.ToSockaddr(storage);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
    const int error = errno;
    close(fd);
    return absl::UnavailableError(std::system_category().message(error));
  }
  return fd;
}

}  // namespace

absl::StatusOr<std::unique_ptr<UdpPort>> UdpPort::Open(EventLoop& loop, const SocketAddress& bind,
                                                       const TransportConfig& config,
                                                       DatagramReader& reader,
                                                       DatagramWriter& writer,
                                                       TransportStats& stats, Owner& owner) {
  const absl::StatusOr<int> fd = BindSocket(bind, config.socket_buffer_bytes);
  if (!fd.ok()) return fd.status();
  std::unique_ptr<UdpPort> port(new UdpPort(loop, *fd, config, reader, writer, stats, owner));
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  getsockname(*fd, reinterpret_cast<sockaddr*>(&storage), &length);
  port->local_ = SocketAddress::FromSockaddr(storage);
  port->WaitReadable();
  return port;
}

UdpPort::UdpPort(EventLoop& loop, int fd, const TransportConfig& config, DatagramReader& reader,
                 DatagramWriter& writer, TransportStats& stats, Owner& owner)
    : loop_(loop),
      socket_(loop.impl().context, fd),
      config_(config),
      reader_(reader),
      writer_(writer),
      stats_(stats),
      owner_(owner),
      life_(std::make_shared<Life>(Life{this})) {}

UdpPort::~UdpPort() { life_->port = nullptr; }

void UdpPort::WaitReadable() {
  is_waiting_readable_ = true;
  socket_.async_wait(stream_descriptor::wait_read,
                     [life = life_](const boost::system::error_code&) {
                       if (life->port == nullptr) return;
                       life->port->is_waiting_readable_ = false;
                       if (life->port->is_receiving_) life->port->Receive();
                     });
}

void UdpPort::WaitWritable() {
  if (std::exchange(is_waiting_writable_, true)) return;
  socket_.async_wait(stream_descriptor::wait_write,
                     [life = life_](const boost::system::error_code&) {
                       if (life->port == nullptr) return;
                       life->port->is_waiting_writable_ = false;
                       life->port->Flush();
                     });
}

// A few batches a turn: Flush() waits for the next one, so that what these cause is sent before
// more is read.
void UdpPort::Receive() {
  for (int batch = 0; batch < kBatchesPerTurn; ++batch) {
    const int count = reader_.Receive(socket_.native_handle());
    if (count < 0) {
      // Not data but an error woke us, or came first; reading it clears the socket's own error too.
      if (errno != EINTR && (errno != EAGAIN || batch == 0)) DrainErrors();
      return;
    }
    ++stats_.receive_batches;
    stats_.datagrams_in += static_cast<uint64_t>(count);
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      owner_.OnDatagram(*this, reader_.From(i), reader_.Bytes(i));
    }
    if (static_cast<size_t>(count) < kDatagramsPerBatch) return;
  }
}

void UdpPort::DrainErrors() {
  for (int i = 0; i < kMaxErrorsPerTurn; ++i) {
    char quoted[kMaxQuoted];
    alignas(cmsghdr) char control[kControlBytes];
    sockaddr_storage to{};
    iovec part{.iov_base = quoted, .iov_len = sizeof(quoted)};
    msghdr message{};
    message.msg_name = &to;
    message.msg_namelen = sizeof(to);
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    const ssize_t size = recvmsg(socket_.native_handle(), &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (size < 0) return;
    const sock_extended_err* error = ErrorIn(message);
    if (error == nullptr) continue;
    ++stats_.icmp_errors;
    if (const auto failure = FailureOf(*error)) {
      owner_.OnQuotedError(SocketAddress::FromSockaddr(to), {quoted, static_cast<size_t>(size)},
                           *failure);
    }
  }
}

void UdpPort::Queue(const SocketAddress& to, std::string_view bytes, SendTag tag) {
  const bool is_full = queued_.size() - sent_ >= config_.max_datagram_queue ||
                       bytes_.size() + bytes.size() > config_.max_datagram_queue_bytes;
  if (is_full) {
    ++stats_.datagrams_dropped;
    if (tag != 0) owner_.OnDatagramFailed(tag, SendFailure::kOverload);
    return;
  }
  queued_.push_back({.to = to, .begin = bytes_.size(), .size = bytes.size(), .tag = tag});
  bytes_.append(bytes);
}

void UdpPort::Flush() {
  if (!is_waiting_writable_ && loop_.clock().Now() >= retry_at_) retry_at_ = absl::InfiniteFuture();
  if (!is_waiting_writable_ && retry_at_ == absl::InfiniteFuture()) {
    while (sent_ < queued_.size() && SendBatch()) {
    }
  }
  DropSent();
  if (is_receiving_ && !is_waiting_readable_) WaitReadable();
}

void UdpPort::DropSent() {
  if (sent_ == queued_.size()) {
    queued_.clear();
    bytes_.clear();
    sent_ = 0;
    return;
  }
  // What waits moves to the front only when that is worth it: never moving it would fill the queue
  // with the sent.
  const size_t begin = queued_[sent_].begin;
  if (begin < bytes_.size() / 2) return;
  bytes_.erase(0, begin);
  queued_.erase(queued_.begin(), queued_.begin() + static_cast<ptrdiff_t>(sent_));
  for (Datagram& datagram : queued_) datagram.begin -= begin;
  sent_ = 0;
}

bool UdpPort::SendBatch() {
  const size_t count = std::min(queued_.size() - sent_, kDatagramsPerBatch);
  for (size_t i = 0; i < count; ++i) {
    const Datagram& datagram = queued_[sent_ + i];
    writer_.Set(i, datagram.to, std::string_view(bytes_).substr(datagram.begin, datagram.size));
  }
  const int done = writer_.Send(socket_.native_handle(), count);
  if (done >= 0) {
    has_pending_error_ = false;
    ++stats_.send_batches;
    stats_.datagrams_out += static_cast<uint64_t>(done);
    sent_ += static_cast<size_t>(done);
    return true;
  }
  switch (errno) {
    case EINTR:
      return true;
    case EAGAIN:
      ++stats_.send_retries;
      WaitWritable();
      return false;
    case ENOBUFS:
    case ENOMEM:
      ++stats_.send_retries;
      retry_at_ = loop_.clock().Now() + kNoBufferPause;
      return false;
    case EMSGSIZE:
      FailFront(SendFailure::kTooLong);
      return true;
    default:
      break;
  }
  // With IP_RECVERR an ICMP error to an earlier datagram comes up at the next call, whatever that
  // sends. Read it and try once more; an error that stays is this datagram's own.
  const int error = errno;
  if (!std::exchange(has_pending_error_, true)) {
    DrainErrors();
    return true;
  }
  FailFront(error == ECONNREFUSED ? SendFailure::kRefused : SendFailure::kUnreachable);
  return true;
}

void UdpPort::FailFront(SendFailure why) {
  has_pending_error_ = false;
  ++stats_.datagrams_dropped;
  const SendTag tag = queued_[sent_++].tag;
  if (tag != 0) owner_.OnDatagramFailed(tag, why);
}

void UdpPort::StopReceiving() { is_receiving_ = false; }

}  // namespace presence::sip
