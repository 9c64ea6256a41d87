#ifndef PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSPORT_PEER_H_
#define PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSPORT_PEER_H_

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sip-gateway/transport/address.h"

namespace presence::sip {

// The other end of the wire: plain non-blocking sockets on loopback, on ports of the system's
// choice.
class Peer {
 public:
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  Peer(Peer&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Peer& operator=(Peer&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Peer() { Close(); }

  static Peer Udp(bool is_v6 = false) { return Bound(SOCK_DGRAM, is_v6); }
  static Peer Listening(bool is_v6 = false, int backlog = 16) {
    Peer peer = Bound(SOCK_STREAM, is_v6);
    listen(peer.fd_, backlog);
    return peer;
  }
  // Loopback connects at once, whether the other side accepts yet or not.
  static Peer ConnectedTo(const SocketAddress& to) { return Connect(to, 0); }
  // Does not wait for that.
  static Peer ConnectingTo(const SocketAddress& to) { return Connect(to, SOCK_NONBLOCK); }

  bool is_open() const { return fd_ >= 0; }
  SocketAddress address() const {
    sockaddr_storage storage{};
    socklen_t length = sizeof(storage);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &length);
    return SocketAddress::FromSockaddr(storage);
  }

  void SendTo(const SocketAddress& to, std::string_view bytes) const {
    sockaddr_storage storage{};
    const socklen_t length = to.ToSockaddr(storage);
    sendto(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&storage), length);
  }
  void Write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (written < 0) return;
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }
  // One datagram, if one is there.
  std::optional<std::string> Receive() const {
    std::string bytes(65'536, '\0');
    const ssize_t size = recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size < 0) return std::nullopt;
    bytes.resize(static_cast<size_t>(size));
    return bytes;
  }
  // Appends what a stream has; true once its other end has shut it, by whatever way.
  bool ReadInto(std::string& all) const {
    for (;;) {
      char bytes[16'384];
      const ssize_t size = recv(fd_, bytes, sizeof(bytes), MSG_DONTWAIT);
      if (size < 0) return errno != EAGAIN;
      if (size == 0) return true;
      all.append(bytes, static_cast<size_t>(size));
    }
  }
  std::optional<Peer> Accept() const {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0) return std::nullopt;
    return Peer(fd);
  }
  void ShrinkReceiveBuffer() const {
    const int bytes = 4096;
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
  }
  void ShutWriting() const { shutdown(fd_, SHUT_WR); }
  // Closes with a reset.
  void Reset() {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    Close();
  }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  explicit Peer(int fd) : fd_(fd) {}
  static Peer Connect(const SocketAddress& to, int flags) {
    Peer peer(socket(to.ip().is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | flags, 0));
    sockaddr_storage storage{};
    const socklen_t length = to.ToSockaddr(storage);
    if (connect(peer.fd_, reinterpret_cast<sockaddr*>(&storage), length) != 0 &&
        errno != EINPROGRESS) {
      peer.Close();
    }
    return peer;
  }
  static Peer Bound(int type, bool is_v6) {
    Peer peer(socket(is_v6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK, 0));
    sockaddr_storage storage{};
    const socklen_t length =
        SocketAddress(*IpAddress::Parse(is_v6 ? "::1" : "127.0.0.1"), 0).ToSockaddr(storage);
    bind(peer.fd_, reinterpret_cast<sockaddr*>(&storage), length);
    return peer;
  }

  int fd_;
};

}  // namespace presence::sip

#endif  // PRESENCE_TESTS_UNIT_SIP_GATEWAY_TRANSPORT_PEER_H_
