#ifndef PRESENCE_SIP_GATEWAY_LOCATING_LOCATOR_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_LOCATOR_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace presence::sip {

// How a target is spoken to. TLS and WSS are what a sips URI asks for.
enum class TargetProtocol : uint8_t { kUdp, kTcp, kTls, kWs, kWss };

// "udp", "tcp", "tls", "ws" or "wss".
std::string_view ProtocolName(TargetProtocol protocol);

// Where one request can be sent. A value.
struct Target {
  TargetProtocol protocol = TargetProtocol::kUdp;
  std::string ip;  // numeric, as inet_ntop writes it: no brackets, no zone
  uint16_t port = 0;

  friend bool operator==(const Target&, const Target&) = default;
  friend bool operator<(const Target& a, const Target& b) {
    return std::tie(a.protocol, a.ip, a.port) < std::tie(b.protocol, b.ip, b.port);
  }
  template <typename H>
  friend H AbslHashValue(H h, const Target& t) {
    return H::combine(std::move(h), t.protocol, t.ip, t.port);
  }
};

// "udp:192.0.2.1:5060", "tcp:[2001:db8::1]:5060": for logs and test failures.
std::string ToString(const Target& target);

// What RFC 3263 needs to know of the URI a request goes to: the topmost Route, else the
// Request-URI. A value; all fields as the URI has them, an absent one empty or 0.
//
// It serves RFC 3263 §5 (a response whose connection is lost) too: the host and port of the Via's
// sent-by, its transport, and is_sips for TLS.
struct Destination {
  bool is_sips = false;
  std::string host{};       // name, IPv4 address or IPv6 address, with or without brackets
  uint16_t port = 0;        // 0: the URI has none
  std::string transport{};  // of the transport parameter, any case; empty: the URI has none
  std::string maddr{};      // of the maddr parameter; takes the place of the host

  friend bool operator==(const Destination&, const Destination&) = default;
};

// Never 0.
using LookupId = uint64_t;

// The targets in the order in which to try them (RFC 3263 §4.3), at least one. Errors:
//   INVALID_ARGUMENT    the host is no host name and no address one can send to
//   UNIMPLEMENTED       the transport, TLS for a sips URI, or the address family is not ours
//   NOT_FOUND           the DNS says there is no such name, or nothing for SIP below it
//   UNAVAILABLE         the DNS did not say; ask again later
//   DEADLINE_EXCEEDED   the DNS did not say in time; ask again later
//   RESOURCE_EXHAUSTED  too many lookups are waiting; ask again later
using LocateResult = absl::StatusOr<std::vector<Target>>;
using LocateDone = absl::AnyInvocable<void(LocateResult)>;

// Finds out where to send a request to a SIP URI: RFC 3263. One thread, the gateway's event loop,
// makes all calls and gets all callbacks.
//
// The list is complete: whoever sends tries the next target when one fails (RFC 3263 §4.3: a 503, a
// transport failure, no answer at all), as a new transaction with a new branch. Who learns that a
// target failed tells MarkDead, so that the next request does not start there.
class Locator {
 public:
  virtual ~Locator() = default;

  // Holds a result when none of it has to be waited for (a numeric address, answers still cached,
  // an error in the destination); `done` is then dropped uncalled. Else holds the id of a lookup
  // under way, and `done` is called once, later, never from inside a call of this interface.
  //
  // `done` may call Locate, Cancel and MarkDead; it must not destroy the locator. A locator that is
  // destroyed calls nothing any more.
  virtual std::variant<LocateResult, LookupId> Locate(const Destination& destination,
                                                      LocateDone done) = 0;

  // After this the lookup's `done` is not called. A lookup that is over or unknown is not an error.
  virtual void Cancel(LookupId id) = 0;

  // For `duration` (a 503's Retry-After, RFC 3261 §21.5.4), or for a default time when it is zero,
  // the target comes last in lists, after all others. It is not left out: when nothing else is
  // there, a try at a target that was dead costs less than not trying. A second call only lengthens
  // the time.
  virtual void MarkDead(const Target& target, absl::Duration duration) = 0;

  // The target answered: takes back MarkDead. A target that was not marked is not an error.
  virtual void MarkAlive(const Target& target) = 0;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_LOCATOR_H_
