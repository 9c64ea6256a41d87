#include "sip-gateway/transaction/response_route.h"

namespace presence::sip {

NextHop ResponseRoute(const Source& source, const Via& top_via) {
  NextHop hop{.protocol = source.protocol,
              .remote = source.remote,
              .listener = source.listener,
              .flow = source.flow,
              .is_answer = true};
  const uint16_t sent_by_port = top_via.port != 0 ? top_via.port : kDefaultSipPort;
  if (IsReliable(source.protocol)) {
    // Only if the connection is gone by then: its source port leads nowhere.
    hop.remote = SocketAddress(source.remote.ip(), sent_by_port);
    return hop;
  }
  // A name would take a DNS lookup, and a group more answers than questions: such a maddr is passed
  // over.
  const auto maddr = IpAddress::Parse(top_via.maddr);
  if (maddr && !maddr->is_multicast() && maddr->is_v6() == source.remote.ip().is_v6()) {
    hop.remote = SocketAddress(*maddr, sent_by_port);
  } else if (!top_via.has_rport) {
    hop.remote = SocketAddress(source.remote.ip(), sent_by_port);
  }
  return hop;
}

ViaMark MarkVia(const Source& source, const Via& top_via) {
  ViaMark mark;
  if (top_via.has_rport) {
    // RFC 3581 §4: with rport there is a `received`, equal to the sent-by or not.
    mark.received = source.remote.ip().ToString();
    mark.rport = source.remote.port();
    return mark;
  }
  const auto sent_by = IpAddress::Parse(top_via.host);
  if (!sent_by || *sent_by != source.remote.ip()) mark.received = source.remote.ip().ToString();
  return mark;
}

}  // namespace presence::sip
