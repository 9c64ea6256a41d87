#include "sip-gateway/locating/locator.h"

#include "absl/strings/str_cat.h"

namespace presence::sip {

std::string_view ProtocolName(TargetProtocol protocol) {
  switch (protocol) {
    case TargetProtocol::kUdp:
      return "udp";
    case TargetProtocol::kTcp:
      return "tcp";
    case TargetProtocol::kTls:
      return "tls";
    case TargetProtocol::kWs:
      return "ws";
    case TargetProtocol::kWss:
      return "wss";
  }
  return "unknown";
}

std::string ToString(const Target& target) {
  const bool is_v6 = target.ip.find(':') != std::string::npos;
  return absl::StrCat(std::string(ProtocolName(target.protocol)), ":", is_v6 ? "[" : "", target.ip,
                      is_v6 ? "]" : "", ":", target.port);
}

}  // namespace presence::sip
