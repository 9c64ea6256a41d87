#ifndef PRESENCE_SIP_GATEWAY_LOCATING_DNS_RESOLVER_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_DNS_RESOLVER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "sip-gateway/locating/ip_literal.h"

namespace presence::sip {

enum class RecordType : uint8_t { kA, kAaaa, kSrv, kNaptr };

// "A", "AAAA", "SRV" or "NAPTR".
std::string_view RecordTypeName(RecordType type);

// One question to the DNS, class IN. A value; `name` is a CanonicalName and an IsDnsName.
struct DnsQuestion {
  RecordType type = RecordType::kA;
  std::string name;

  friend bool operator==(const DnsQuestion&, const DnsQuestion&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const DnsQuestion& q) {
    return H::combine(std::move(h), q.type, q.name);
  }
};

// RFC 2782.
struct SrvRecord {
  uint16_t priority = 0;
  uint16_t weight = 0;
  uint16_t port = 0;
  std::string host;  // canonical; empty for ".": the service is decidedly not available there

  friend bool operator==(const SrvRecord&, const SrvRecord&) = default;
};

// RFC 3403, as far as RFC 3263 §4.1 uses it: flag "s", no regular expression.
struct NaptrRecord {
  uint16_t order = 0;
  uint16_t preference = 0;
  std::string service;      // upper case: "SIP+D2U"
  std::string replacement;  // canonical name of an SRV set

  friend bool operator==(const NaptrRecord&, const NaptrRecord&) = default;
};

// The answer to one question, of which one of the lists is used. A value.
struct DnsReply {
  enum class Outcome : uint8_t {
    kRecords,  // at least one usable record
    kNone,     // the DNS says there is none: no such name, no record of the type, or no usable one
    kFailed,   // the DNS said nothing usable: time-out, SERVFAIL, REFUSED, malformed
  };
  Outcome outcome = Outcome::kFailed;
  // How long this may be believed: the smallest TTL of the answer, or the negative TTL of RFC 2308
  // §5. Zero, and for a negative answer without SOA: not said.
  absl::Duration ttl;
  std::vector<IpLiteral> addresses;
  std::vector<SrvRecord> srv;
  std::vector<NaptrRecord> naptr;
  std::string failure;  // of kFailed: why, for people

  friend bool operator==(const DnsReply&, const DnsReply&) = default;
};

// "SRV _sip._udp.example.com": for logs and error texts.
std::string ToString(const DnsQuestion& question);

// Replies of kNone and kFailed that say no more than that.
DnsReply NoRecordsReply();
DnsReply FailedReply(std::string_view why);

// Asks the DNS. Used from one thread. It does not cache and does not merge; DnsCache does.
class DnsResolver {
 public:
  virtual ~DnsResolver() = default;

  // Calls `done` once, perhaps before this returns, with every failure mapped into the reply.
  // `done` may call Ask. A resolver that is destroyed drops the callbacks uncalled.
  virtual void Ask(const DnsQuestion& question, absl::AnyInvocable<void(DnsReply)> done) = 0;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_DNS_RESOLVER_H_
