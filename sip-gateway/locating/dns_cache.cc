#include "sip-gateway/locating/dns_cache.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace presence::sip {

DnsCache::DnsCache(const Options& options, DnsResolver& resolver, const Clock& clock)
    : options_(options), resolver_(resolver), clock_(clock) {}

DnsReplyPtr DnsCache::Find(const DnsQuestion& question) {
  const auto it = index_.find(question);
  if (it == index_.end() || it->second->fresh_until <= clock_.Now()) return nullptr;
  ++counters_.hits;
  entries_.splice(entries_.begin(), entries_, it->second);
  return it->second->reply;
}

void DnsCache::Fetch(const DnsQuestion& question, uint64_t tag, Waiter waiter) {
  auto [it, is_new] = fetching_.try_emplace(question);
  it->second.waiters.insert_or_assign(tag, std::move(waiter));
  if (!is_new) {
    ++counters_.merged;
    return;
  }
  it->second.queued = queue_.insert(queue_.end(), question);
  AskWhatMayBeAsked();
}

void DnsCache::Abandon(const DnsQuestion& question, uint64_t tag) {
  const auto it = fetching_.find(question);
  if (it == fetching_.end()) return;
  Fetching& fetching = it->second;
  fetching.waiters.erase(tag);
  // Else an outage of the DNS would let the queue grow without end.
  if (!fetching.waiters.empty() || fetching.queued == queue_.end()) return;
  queue_.erase(fetching.queued);
  fetching_.erase(it);
}

void DnsCache::AskWhatMayBeAsked() {
  while (!queue_.empty() && outstanding_ < options_.max_outstanding) {
    const DnsQuestion question = std::move(queue_.front());
    queue_.pop_front();
    fetching_.at(question).queued = queue_.end();
    ++outstanding_;
    ++counters_.questions;
    resolver_.Ask(question,
                  [this, question](DnsReply reply) { OnReply(question, std::move(reply)); });
  }
}

void DnsCache::OnReply(const DnsQuestion& question, DnsReply reply) {
  --outstanding_;
  const DnsReplyPtr known = Remember(question, std::move(reply));
  auto node = fetching_.extract(question);
  AskWhatMayBeAsked();
  // Last: a waiter may come back with questions of its own.
  for (auto& [tag, waiter] : node.mapped().waiters) waiter(known);
}

DnsReplyPtr DnsCache::Remember(const DnsQuestion& question, DnsReply reply) {
  const absl::Time now = clock_.Now();
  if (reply.outcome == DnsReply::Outcome::kFailed) {
    ++counters_.failures;
    const auto old = index_.find(question);
    if (old != index_.end() && now < old->second->stale_until) {
      ++counters_.stale_served;
      old->second->fresh_until = std::min(now + options_.failure_ttl, old->second->stale_until);
      return old->second->reply;
    }
  }
  const absl::Time fresh_until = now + Lifetime(reply);
  const bool is_of_use_when_stale = reply.outcome == DnsReply::Outcome::kRecords;
  auto shared = std::make_shared<const DnsReply>(std::move(reply));
  Store({question, shared, fresh_until,
         is_of_use_when_stale ? fresh_until + options_.stale_for : absl::InfinitePast()});
  return shared;
}

absl::Duration DnsCache::Lifetime(const DnsReply& reply) const {
  switch (reply.outcome) {
    case DnsReply::Outcome::kRecords:
      return std::min(reply.ttl, options_.max_ttl);
    case DnsReply::Outcome::kNone:
      if (reply.ttl > absl::ZeroDuration()) return std::min(reply.ttl, options_.max_negative_ttl);
      return options_.failure_ttl;
    case DnsReply::Outcome::kFailed:
      return options_.failure_ttl;
  }
  return absl::ZeroDuration();
}

void DnsCache::Store(Entry entry) {
  if (const auto old = index_.find(entry.question); old != index_.end()) {
    entries_.erase(old->second);
    index_.erase(old);
  }
  if (options_.max_entries == 0) return;
  while (entries_.size() >= options_.max_entries) {
    index_.erase(entries_.back().question);
    entries_.pop_back();
  }
  entries_.push_front(std::move(entry));
  index_[entries_.front().question] = entries_.begin();
}

}  // namespace presence::sip
