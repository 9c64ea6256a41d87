#ifndef PRESENCE_SIP_GATEWAY_LOCATING_LOCATE_ERRORS_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_LOCATE_ERRORS_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace presence::sip {

// The errors of this room, each with its code in one place; Locator documents what the codes mean.
absl::Status BadHost(std::string_view host);
absl::Status NotUnicast(std::string_view address);
absl::Status UnsupportedTransport(std::string_view transport);
absl::Status SipsOverUdp();
absl::Status UnsupportedFamily(std::string_view address);
absl::Status NothingInDns(std::string_view host);
absl::Status DnsUnavailable(std::string_view host, std::string_view why);
absl::Status LocateTimedOut(std::string_view host, absl::Duration deadline);
absl::Status TooManyLookups(size_t limit);
absl::Status BadDnsServer(std::string_view server);
absl::Status ResolverNotStarted(std::string_view why);

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_LOCATE_ERRORS_H_
