#include "cli/connection/server_address.h"

#include <sys/un.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace presence::cli {
namespace {

constexpr absl::string_view kDefaultPort = "7460";

absl::Status Bad(absl::string_view address, absl::string_view remedy) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", address, "\" is not a server address; ", remedy));
}

// Splits "[v6]:port", "[v6]", "host:port" or "host"; a bare IPv6 address has no port.
void SplitPort(absl::string_view address, absl::string_view& host, absl::string_view& port) {
  host = address;
  port = kDefaultPort;
  const std::size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || absl::EndsWith(address, "]")) return;
  const bool is_bare_ipv6 = address.front() != '[' && address.find(':') != colon;
  if (is_bare_ipv6) return;
  host = address.substr(0, colon);
  port = address.substr(colon + 1);
}

absl::StatusOr<std::string> UnixTarget(absl::string_view address, absl::string_view path) {
  if (path.empty()) return Bad(address, "write unix:PATH");
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Bad(address, absl::StrCat("the path of a unix socket has at most ",
                                     sizeof(sockaddr_un::sun_path) - 1, " bytes"));
  }
  return absl::StrCat("unix:", path);
}

}  // namespace

absl::StatusOr<std::string> GrpcTarget(absl::string_view address) {
  if (absl::StartsWith(address, "unix:")) {
    absl::string_view path = absl::StripPrefix(address, "unix:");
    if (absl::StartsWith(path, "///")) path.remove_prefix(2);  // unix:///absolute, the URI form
    return UnixTarget(address, path);
  }
  if (address.empty()) return Bad(address, "write host:port or unix:PATH");
  if (absl::StrContains(address, "/")) {
    return Bad(address, "write host:port without a scheme, or unix:PATH");
  }
  absl::string_view host, port_text;
  SplitPort(address, host, port_text);
  uint32_t port = 0;
  if (host.empty() || !absl::SimpleAtoi(port_text, &port) || port == 0 || port > 65535) {
    return Bad(address, "write host:port with a port from 1 to 65535");
  }
  const bool needs_brackets = absl::StrContains(host, ":") && host.front() != '[';
  return absl::StrCat("dns:///", needs_brackets ? "[" : "", host, needs_brackets ? "]" : "", ":",
                      port);
}

}  // namespace presence::cli
