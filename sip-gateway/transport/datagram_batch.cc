#include "sip-gateway/transport/datagram_batch.h"

namespace presence::sip {

// Not value-initialised: clearing it would make all of it resident.
DatagramReader::DatagramReader() : buffer_(new char[kDatagramsPerBatch * kMaxDatagram]) {}

int DatagramReader::Receive(int fd) {
  for (size_t i = 0; i < kDatagramsPerBatch; ++i) {
    arrays_.parts[i] = {.iov_base = buffer_.get() + i * kMaxDatagram, .iov_len = kMaxDatagram};
    msghdr& header = arrays_.headers[i].msg_hdr;
    header = {};
    header.msg_name = &arrays_.addresses[i];
    header.msg_namelen = sizeof(arrays_.addresses[i]);
    header.msg_iov = &arrays_.parts[i];
    header.msg_iovlen = 1;
  }
  return recvmmsg(fd, arrays_.headers.data(), kDatagramsPerBatch, MSG_DONTWAIT, nullptr);
}

void DatagramWriter::Set(size_t i, const SocketAddress& to, std::string_view bytes) {
  // sendmmsg does not write through iov_base; recvmmsg, whose type it shares, does.
  arrays_.parts[i] = {.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  msghdr& header = arrays_.headers[i].msg_hdr;
  header = {};
  header.msg_name = &arrays_.addresses[i];
  header.msg_namelen = to.ToSockaddr(arrays_.addresses[i]);
  header.msg_iov = &arrays_.parts[i];
  header.msg_iovlen = 1;
}

int DatagramWriter::Send(int fd, size_t count) {
  return send_(fd, arrays_.headers.data(), static_cast<unsigned>(count),
               MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace presence::sip
