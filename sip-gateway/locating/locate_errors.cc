#include "sip-gateway/locating/locate_errors.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace presence::sip {
namespace {

// Host names come from the network and go to logs: printable, and not longer than a name may be.
std::string Quoted(std::string_view text) {
  return "\"" + absl::CHexEscape(std::string(text.substr(0, 255))) + "\"";
}

}  // namespace

absl::Status BadHost(std::string_view host) {
  return absl::InvalidArgumentError(absl::StrCat(Quoted(host), " is no host name and no address"));
}

absl::Status NotUnicast(std::string_view address) {
  return absl::InvalidArgumentError(
      absl::StrCat(Quoted(address), " is not the address of one host"));
}

absl::Status UnsupportedTransport(std::string_view transport) {
  return absl::UnimplementedError(
      absl::StrCat("no listener of this gateway speaks ", Quoted(transport)));
}

absl::Status SipsOverUdp() {
  return absl::UnimplementedError("a sips URI cannot be reached over UDP (RFC 3261 26.2.2)");
}

absl::Status UnsupportedFamily(std::string_view address) {
  return absl::UnimplementedError(
      absl::StrCat("no listener of this gateway has the address family of ", Quoted(address)));
}

absl::Status NothingInDns(std::string_view host) {
  return absl::NotFoundError(absl::StrCat("the DNS has no SIP server for ", Quoted(host)));
}

absl::Status DnsUnavailable(std::string_view host, std::string_view why) {
  return absl::UnavailableError(
      absl::StrCat("the DNS did not answer for ", Quoted(host), ": ", std::string(why)));
}

absl::Status LocateTimedOut(std::string_view host, absl::Duration deadline) {
  return absl::DeadlineExceededError(absl::StrCat("the DNS did not answer for ", Quoted(host),
                                                  " within ", absl::FormatDuration(deadline)));
}

absl::Status TooManyLookups(size_t limit) {
  return absl::ResourceExhaustedError(
      absl::StrCat("all ", limit, " lookups that may wait for the DNS are waiting"));
}

absl::Status BadDnsServer(std::string_view server) {
  return absl::InvalidArgumentError(
      absl::StrCat("DNS server ", Quoted(server), ": write IP, IP:PORT or [IPv6]:PORT"));
}

absl::Status ResolverNotStarted(std::string_view why) {
  return absl::InternalError(absl::StrCat("the DNS client did not start: ", std::string(why)));
}

}  // namespace presence::sip
