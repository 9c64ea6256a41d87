#ifndef PRESENCE_SIP_GATEWAY_LOCATING_CARES_RESOLVER_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_CARES_RESOLVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "runtime/clock.h"
#include "sip-gateway/locating/descriptor_watcher.h"
#include "sip-gateway/locating/dns_resolver.h"

namespace presence::sip {

// The DnsResolver of production: c-ares on the gateway's event loop, without a thread of its own.
// Asks over UDP with EDNS, over TCP when the answer was cut; tries the servers in turn.
//
// "localhost" and names below it are the loopback addresses (RFC 6761 §6.3), names in the hosts
// file are what stands there, neither asks the DNS. Search domains are not used: a host in a URI is
// a full name.
class CaresResolver final : public DnsResolver {
 public:
  struct Options {
    // "192.0.2.53", "192.0.2.53:5353", "2001:db8::53" or "[2001:db8::53]:5353", in the order in
    // which to try them. None: those of /etc/resolv.conf, read once at the start.
    std::vector<std::string> servers{};
    // Time for the first try at a server; c-ares varies it and doubles it with every round.
    absl::Duration query_timeout = absl::Seconds(1);
    // Rounds over the servers before the question counts as failed.
    int tries = 2;
    // Looked into before the DNS is asked; empty for none.
    std::string hosts_file = "/etc/hosts";
  };

  // Errors: INVALID_ARGUMENT   an entry of `servers` is no address
  //         INTERNAL           c-ares did not start; the text says why
  static absl::StatusOr<std::unique_ptr<CaresResolver>> Create(const Options& options,
                                                               DescriptorWatcher& loop,
                                                               const Clock& clock);
  ~CaresResolver() override;
  CaresResolver(const CaresResolver&) = delete;
  CaresResolver& operator=(const CaresResolver&) = delete;

  void Ask(const DnsQuestion& question, absl::AnyInvocable<void(DnsReply)> done) override;

 private:
  class Channel;  // keeps ares.h out of this header

  explicit CaresResolver(std::unique_ptr<Channel> channel);

  const std::unique_ptr<Channel> channel_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_CARES_RESOLVER_H_
