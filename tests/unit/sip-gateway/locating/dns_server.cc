#include "tests/unit/sip-gateway/locating/dns_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace presence::sip {
namespace {

std::string TypeName(uint16_t type) {
  switch (type) {
    case kTypeA:
      return "A";
    case kTypeAaaa:
      return "AAAA";
    case kTypeSrv:
      return "SRV";
    case kTypeNaptr:
      return "NAPTR";
    default:
      return "TYPE" + std::to_string(type);
  }
}

// A non-blocking socket on loopback, of the family of `family`; -1 if the port is taken.
int BindLoopback(DnsServer::Family family, int type, uint16_t port) {
  const bool is_v6 = family == DnsServer::Family::kIpv6;
  const int fd = socket(is_v6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  v4.sin_port = htons(port);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_loopback;
  v6.sin6_port = htons(port);
  const auto* address = is_v6 ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
  if (bind(fd, address, is_v6 ? sizeof(v6) : sizeof(v4)) == 0) return fd;
  close(fd);
  return -1;
}

uint16_t PortOf(int fd) {
  sockaddr_in6 address{};
  socklen_t size = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  // The port is at the same place in both families.
  return ntohs(address.sin6_port);
}

}  // namespace

DnsServer::DnsServer(PollLoop& loop, Family family) : loop_(loop) {
  // The port the system picks for UDP may be taken for TCP; then the next one.
  int attempts = 0;
  while (!BindBoth(family)) {
    if (++attempts == 100) std::abort();
  }
  listen(tcp_, 16);
  loop_.Watch(udp_, {.read = true}, [this](Readiness) { OnDatagrams(); });
  loop_.Watch(tcp_, {.read = true}, [this](Readiness) { OnConnection(); });
}

bool DnsServer::BindBoth(Family family) {
  udp_ = BindLoopback(family, SOCK_DGRAM, 0);
  if (udp_ == -1) return false;
  tcp_ = BindLoopback(family, SOCK_STREAM, PortOf(udp_));
  if (tcp_ != -1) return true;
  close(udp_);
  return false;
}

DnsServer::~DnsServer() {
  std::vector<int> fds = {udp_, tcp_};
  for (const auto& [fd, received] : streams_) fds.push_back(fd);
  for (const int fd : fds) {
    loop_.Forget(fd);
    close(fd);
  }
}

std::string DnsServer::address() const {
  sockaddr_in6 address{};
  socklen_t size = sizeof(address);
  getsockname(udp_, reinterpret_cast<sockaddr*>(&address), &size);
  const std::string host = address.sin6_family == AF_INET6 ? "[::1]" : "127.0.0.1";
  return host + ":" + std::to_string(ntohs(address.sin6_port));
}

void DnsServer::Serve(std::vector<Record> records) {
  for (Record& record : records) records_.push_back(std::move(record));
}

void DnsServer::Misbehave(const std::string& name, uint16_t type, Misbehaviour misbehaviour) {
  misbehaviours_[{name, type}] = std::move(misbehaviour);
}

std::string DnsServer::Answer(const Query& query) const {
  Response response;
  std::string name = query.name;
  bool is_known = false;
  std::set<std::string> followed;
  for (bool has_alias = true; has_alias && followed.insert(name).second;) {
    has_alias = false;
    std::string alias;
    for (const Record& record : records_) {
      if (record.name != name) continue;
      is_known = true;
      const bool is_alias = record.type == kTypeCname && query.type != kTypeCname;
      if (record.type != query.type && !is_alias) continue;
      response.answers.push_back(record);
      if (is_alias) {
        has_alias = true;
        // A name is read where a query has one: behind twelve bytes of header.
        alias = ReadQuery(std::string(12, '\0') + record.data + std::string(4, '\0')).name;
      }
    }
    if (has_alias) name = alias;
  }
  if (!is_known) response.rcode = kNxDomain;
  if (response.answers.empty()) response.authorities = soa_;
  return Encode(query, response);
}

void DnsServer::OnDatagrams() {
  char buffer[4096];
  Client client{udp_, {}, sizeof(client.address)};
  auto* address = reinterpret_cast<sockaddr*>(&client.address);
  ssize_t size;
  while ((size = recvfrom(udp_, buffer, sizeof(buffer), 0, address, &client.address_size)) > 0) {
    OnQuery(std::string(buffer, static_cast<size_t>(size)), client);
    client.address_size = sizeof(client.address);
  }
}

void DnsServer::OnConnection() {
  const int fd = accept4(tcp_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd == -1) return;
  streams_[fd] = "";
  loop_.Watch(fd, {.read = true}, [this, fd](Readiness) { OnStream(fd); });
}

void DnsServer::OnStream(int fd) {
  char buffer[4096];
  const ssize_t size = read(fd, buffer, sizeof(buffer));
  if (size <= 0) {
    loop_.Forget(fd);
    close(fd);
    streams_.erase(fd);
    return;
  }
  std::string& received = streams_[fd];
  received.append(buffer, static_cast<size_t>(size));
  // RFC 1035 §4.2.2: two bytes of length before each message.
  while (received.size() >= 2) {
    const size_t length = static_cast<size_t>(static_cast<uint8_t>(received[0]) << 8 |
                                              static_cast<uint8_t>(received[1]));
    if (received.size() < 2 + length) return;
    const std::string message = received.substr(2, length);
    received.erase(0, 2 + length);
    OnQuery(message, {fd, {}, 0});
  }
}

void DnsServer::OnQuery(const std::string& message, const Client& client) {
  Query query = ReadQuery(message);
  query.is_over_tcp = client.address_size == 0;
  questions_.push_back((query.is_over_tcp ? "tcp: " : "") + TypeName(query.type) + " " +
                       query.name);
  std::vector<std::string> responses;
  if (const auto it = misbehaviours_.find({query.name, query.type}); it != misbehaviours_.end()) {
    responses = it->second(query);
  } else {
    responses = {Answer(query)};
  }
  for (const std::string& response : responses) {
    if (is_holding_) {
      held_.emplace_back(response, client);
    } else {
      Send(client, response);
    }
  }
}

void DnsServer::Send(const Client& client, const std::string& message) {
  if (client.address_size == 0) {
    const std::string framed = std::string(1, static_cast<char>(message.size() >> 8)) +
                               static_cast<char>(message.size() & 0xff) + message;
    if (write(client.fd, framed.data(), framed.size()) < 0) return;  // the client has gone
    return;
  }
  sendto(client.fd, message.data(), message.size(), 0,
         reinterpret_cast<const sockaddr*>(&client.address), client.address_size);
}

void DnsServer::Release() {
  is_holding_ = false;
  for (const auto& [message, client] : std::exchange(held_, {})) Send(client, message);
}

size_t DnsServer::CountQuestions(const std::string& question) const {
  return static_cast<size_t>(std::ranges::count(questions_, question));
}

}  // namespace presence::sip
