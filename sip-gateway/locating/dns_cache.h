#ifndef PRESENCE_SIP_GATEWAY_LOCATING_DNS_CACHE_H_
#define PRESENCE_SIP_GATEWAY_LOCATING_DNS_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "runtime/clock.h"
#include "sip-gateway/locating/dns_resolver.h"
#include "sip-gateway/locating/location_procedure.h"

namespace presence::sip {

// Stands before a DnsResolver: remembers replies for as long as they say, asks each question once
// however many wait for it, and keeps no more of them on the way than the DNS server should bear at
// once. Used from one thread.
class DnsCache {
 public:
  struct Options {
    // Replies kept; the least recently used goes first. About 300 bytes each.
    size_t max_entries = 10'000;
    // A longer TTL is shortened to it, so that a moved server is found before the day is over.
    absl::Duration max_ttl = absl::Hours(1);
    // The same for "there is no such name" (RFC 2308 §5 allows hours).
    absl::Duration max_negative_ttl = absl::Minutes(5);
    // How long a failed question, or a negative reply that does not say its TTL, is not asked
    // again. RFC 2308 §7 allows up to 5 minutes for failures.
    absl::Duration failure_ttl = absl::Seconds(5);
    // How long after its end a positive reply still serves when the DNS fails (RFC 8767): an outage
    // of the DNS must not stop notifications to hosts that did not move. Zero turns it off.
    absl::Duration stale_for = absl::Hours(1);
    // Questions on the way at once; more wait in a queue.
    size_t max_outstanding = 128;
  };

  // Counts since the start.
  struct Counters {
    uint64_t hits = 0;          // replies found
    uint64_t questions = 0;     // questions given to the resolver
    uint64_t merged = 0;        // waiters that joined a question already asked
    uint64_t failures = 0;      // questions the DNS failed to answer
    uint64_t stale_served = 0;  // of these, answered with what was known before
  };

  DnsCache(const Options& options, DnsResolver& resolver, const Clock& clock);
  DnsCache(const DnsCache&) = delete;
  DnsCache& operator=(const DnsCache&) = delete;

  // The reply to a question if it is known and still to be believed; else null.
  DnsReplyPtr Find(const DnsQuestion& question);

  // Calls `waiter` with the DNS's reply, later. `waiter` may call Find, Fetch and Abandon. `tag`
  // names it among those who wait for this question; they are called in order of their tags.
  using Waiter = absl::AnyInvocable<void(const DnsReplyPtr&)>;
  void Fetch(const DnsQuestion& question, uint64_t tag, Waiter waiter);

  // Ends Fetch. A question that nobody waits for any more leaves the queue; one that is on its way
  // is seen through, for the next who asks. A waiter that is unknown is not an error.
  void Abandon(const DnsQuestion& question, uint64_t tag);

  const Counters& counters() const { return counters_; }
  size_t size() const { return entries_.size(); }
  size_t queued() const { return queue_.size(); }

 private:
  struct Entry {
    DnsQuestion question;
    DnsReplyPtr reply;
    absl::Time fresh_until;
    absl::Time stale_until;  // InfinitePast for what is no use when stale
  };
  using Entries = std::list<Entry>;
  using Queue = std::list<DnsQuestion>;
  struct Fetching {
    std::map<uint64_t, Waiter> waiters;
    Queue::iterator queued;  // end() once it is asked
  };

  void AskWhatMayBeAsked();
  void OnReply(const DnsQuestion& question, DnsReply reply);
  DnsReplyPtr Remember(const DnsQuestion& question, DnsReply reply);
  void Store(Entry entry);
  absl::Duration Lifetime(const DnsReply& reply) const;

  const Options options_;
  DnsResolver& resolver_;
  const Clock& clock_;
  Counters counters_;
  Entries entries_;  // most recently used first
  absl::flat_hash_map<DnsQuestion, Entries::iterator> index_;
  absl::flat_hash_map<DnsQuestion, Fetching> fetching_;
  Queue queue_;  // of `fetching_`, those not asked yet
  size_t outstanding_ = 0;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_LOCATING_DNS_CACHE_H_
