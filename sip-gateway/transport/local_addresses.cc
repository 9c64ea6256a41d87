#include "sip-gateway/transport/local_addresses.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace presence::sip {
namespace {

bool IsLinkLocal(const IpAddress& ip) {
  const auto& b = ip.bytes();
  return ip.is_v6() ? b[0] == 0xfe && (b[1] & 0xc0) == 0x80 : b[12] == 169 && b[13] == 254;
}

}  // namespace

std::vector<IpAddress> LocalAddresses() {
  std::vector<IpAddress> addresses;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return addresses;
  for (const ifaddrs* it = first; it != nullptr; it = it->ifa_next) {
    if (it->ifa_addr == nullptr || (it->ifa_flags & IFF_UP) == 0) continue;
    const bool is_v6 = it->ifa_addr->sa_family == AF_INET6;
    if (!is_v6 && it->ifa_addr->sa_family != AF_INET) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, it->ifa_addr, is_v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
    addresses.push_back(SocketAddress::FromSockaddr(storage).ip());
  }
  freeifaddrs(first);
  return addresses;
}

IpAddress ReachableAddress(absl::Span<const IpAddress> local, bool is_v6) {
  for (const IpAddress& ip : local) {
    if (ip.is_v6() == is_v6 && !ip.is_loopback() && !IsLinkLocal(ip)) return ip;
  }
  return *IpAddress::Parse(is_v6 ? "::1" : "127.0.0.1");
}

}  // namespace presence::sip
