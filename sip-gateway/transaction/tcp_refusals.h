#ifndef PRESENCE_SIP_GATEWAY_TRANSACTION_TCP_REFUSALS_H_
#define PRESENCE_SIP_GATEWAY_TRANSACTION_TCP_REFUSALS_H_

#include <cstddef>
#include <deque>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "sip-gateway/transport/address.h"

namespace presence::sip {

// Peers that did not take a connection when a request was too long for a datagram. They are not
// asked again for a while: many a phone speaks UDP only, and each try costs it a delay. Not
// thread-safe.
class TcpRefusals {
 public:
  TcpRefusals(absl::Duration memory, size_t max_peers) : memory_(memory), max_peers_(max_peers) {}

  void Remember(const SocketAddress& peer, absl::Time now) {
    Expire(now);
    if (!until_.emplace(peer, now + memory_).second) return;
    queue_.push_back(peer);
    if (queue_.size() > max_peers_) DropOldest();
  }

  bool Contains(const SocketAddress& peer, absl::Time now) const {
    const auto it = until_.find(peer);
    return it != until_.end() && now < it->second;
  }

 private:
  void Expire(absl::Time now) {
    while (!queue_.empty() && until_.at(queue_.front()) <= now) DropOldest();
  }
  void DropOldest() {
    until_.erase(queue_.front());
    queue_.pop_front();
  }

  const absl::Duration memory_;
  const size_t max_peers_;
  absl::flat_hash_map<SocketAddress, absl::Time> until_;
  std::deque<SocketAddress> queue_;  // in the order of their times
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSACTION_TCP_REFUSALS_H_
