#ifndef PRESENCE_SIP_GATEWAY_TRANSACTION_BRANCH_MEMORY_H_
#define PRESENCE_SIP_GATEWAY_TRANSACTION_BRANCH_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"

namespace presence::sip {

// Branches of client transactions that have ended, for a fixed time each: what the state Completed
// is there for, to recognise a late response, takes no more. All stay equally long, so they leave
// in the order they came. Not thread-safe.
class BranchMemory {
 public:
  BranchMemory(absl::Duration lifetime, size_t max_branches)
      : lifetime_(lifetime), max_branches_(max_branches) {}

  // Beyond max_branches the oldest is forgotten: its late response then counts as a stray one.
  void Add(uint64_t branch, absl::Time now) {
    if (!branches_.insert(branch).second) return;
    queue_.emplace_back(now + lifetime_, branch);
    if (queue_.size() > max_branches_) DropOldest();
  }

  bool Contains(uint64_t branch) const { return branches_.contains(branch); }

  void Expire(absl::Time now) {
    while (!queue_.empty() && queue_.front().first <= now) DropOldest();
  }

  size_t size() const { return queue_.size(); }

 private:
  void DropOldest() {
    branches_.erase(queue_.front().second);
    queue_.pop_front();
  }

  const absl::Duration lifetime_;
  const size_t max_branches_;
  std::deque<std::pair<absl::Time, uint64_t>> queue_;
  absl::flat_hash_set<uint64_t> branches_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSACTION_BRANCH_MEMORY_H_
