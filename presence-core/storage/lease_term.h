#ifndef PRESENCE_CORE_STORAGE_LEASE_TERM_H_
#define PRESENCE_CORE_STORAGE_LEASE_TERM_H_

#include <atomic>
#include <cstdint>
#include <set>
#include <string>

#include "absl/time/time.h"

namespace presence {

// What follows from the renewals of a lease (storage/postgres/lease_keeper.h): until when its
// holder may tell what no commit has confirmed, and who of those that share it has fallen silent.
//
// IsSure() from any thread; OnTick() from one, OnRenewed() from one.
class LeaseTerm {
 public:
  // Others may take the lease so long after a renewal was asked for, at the earliest; `margin`
  // before that its holder says no more.
  LeaseTerm(absl::Duration lifetime, absl::Duration margin, absl::Time taken_at, absl::Time now,
            bool is_awaited);

  // Whether no other process can be the owner: until shortly before the end of the term; beyond it
  // if nobody waited when it was last renewed, and this process has not stood still since.
  bool IsSure(absl::Time now) const;

  // To be called several times a term, whatever the database does.
  void OnTick(absl::Time now);

  // It was renewed, by what was asked then; `serving` are the others that share it. True when one
  // of them has fallen silent: it may have died before it said what it had changed.
  bool OnRenewed(absl::Time asked_at, absl::Time now, bool is_awaited,
                 std::set<std::string> serving);

 private:
  const absl::Duration told_for_;
  std::atomic<int64_t> renewed_at_;  // both in nanoseconds of the clock
  std::atomic<int64_t> ticked_at_;
  std::atomic<bool> is_awaited_;
  std::atomic<bool> has_stood_still_ = false;
  std::set<std::string> serving_;  // the renewing thread's only
};

}  // namespace presence

#endif  // PRESENCE_CORE_STORAGE_LEASE_TERM_H_
