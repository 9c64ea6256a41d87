#ifndef PRESENCE_SIP_GATEWAY_TRANSPORT_DATAGRAM_BATCH_H_
#define PRESENCE_SIP_GATEWAY_TRANSPORT_DATAGRAM_BATCH_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "sip-gateway/transport/address.h"

namespace presence::sip {

inline constexpr size_t kDatagramsPerBatch = 64;

// The arrays that recvmmsg and sendmmsg work on.
struct DatagramArrays {
  std::array<mmsghdr, kDatagramsPerBatch> headers{};
  std::array<iovec, kDatagramsPerBatch> parts{};
  std::array<sockaddr_storage, kDatagramsPerBatch> addresses{};
};

// Reads datagrams in batches; one reader serves all sockets of a thread. Room for 64 datagrams of
// any size is 4 MiB of address space, of which as much becomes memory as datagrams have been long.
class DatagramReader {
 public:
  DatagramReader();
  DatagramReader(const DatagramReader&) = delete;
  DatagramReader& operator=(const DatagramReader&) = delete;

  // What `fd` has, up to a batch, without waiting. Returns how many, or -1 with errno.
  int Receive(int fd);
  // Of the i-th datagram received last.
  SocketAddress From(size_t i) const { return SocketAddress::FromSockaddr(arrays_.addresses[i]); }
  std::string_view Bytes(size_t i) const {
    return {buffer_.get() + i * kMaxDatagram, arrays_.headers[i].msg_len};
  }

 private:
  static constexpr size_t kMaxDatagram = 65'535;

  std::unique_ptr<char[]> buffer_;
  DatagramArrays arrays_;
};

// Writes datagrams in batches; one writer serves all sockets of a thread.
class DatagramWriter {
 public:
  // sendmmsg, or what a test puts in its place: a full socket buffer cannot be had on loopback.
  using SystemCall = std::function<int(int fd, mmsghdr* headers, unsigned count, int flags)>;

  explicit DatagramWriter(SystemCall send = sendmmsg) : send_(std::move(send)) {}
  DatagramWriter(const DatagramWriter&) = delete;
  DatagramWriter& operator=(const DatagramWriter&) = delete;

  // Fills place `i` of a batch; `bytes` must live until Send().
  void Set(size_t i, const SocketAddress& to, std::string_view bytes);
  // Sends the first `count`. Returns how many left, or -1 with errno, which is of the first one.
  int Send(int fd, size_t count);

 private:
  const SystemCall send_;
  DatagramArrays arrays_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSPORT_DATAGRAM_BATCH_H_
