#ifndef PRESENCE_CORE_ENGINE_LINK_TABLE_H_
#define PRESENCE_CORE_ENGINE_LINK_TABLE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "presence-core/engine/watcher_link.h"

namespace presence {

// The links by which instructions leave, under the names that dialogs know them by, with their
// credit. Thread-safe. Its lock is taken while a stripe's is held, never the other way round.
class LinkTable {
 public:
  using LinkId = uint64_t;
  static constexpr LinkId kNone = 0;

  // A resource that could not go on for want of credit of one name.
  struct Waiting {
    int stripe;
    uint32_t cell;
    size_t name_hash;
  };
  static size_t NameHash(std::string_view name) { return std::hash<std::string_view>()(name); }

  // Both return the resources to wake, no more than there is credit for; AddCredit of 0 wakes those
  // who are left after somebody had no use for the credit.
  std::pair<LinkId, std::vector<Waiting>> Attach(std::string name, WatcherLink& link,
                                                 size_t credit);
  std::vector<Waiting> AddCredit(LinkId id, size_t credit);

  // Waits until no Deliver of it is running.
  void Detach(LinkId id);
  bool IsAttached(LinkId id);

  // Takes one credit of a link of this name. Without one, remembers `waiting` (if `remember`) and
  // returns kNone. A name that is not `is_lasting` is remembered only while a link has it.
  LinkId Take(std::string_view name, Waiting waiting, bool remember, bool is_lasting);

  // Gives instructions to the link they took their credit from; drops them if it has gone: the
  // dialogs are found by Reconcile, or by their guard timer.
  void Deliver(LinkId id, std::vector<Instruction> instructions);

 private:
  struct Link {
    std::string name;
    absl::Mutex delivering;  // held during Deliver; taken before nothing
    WatcherLink* link ABSL_GUARDED_BY(delivering);
    size_t credit = 0;  // guarded by mu_ of the table
  };
  struct Group {
    std::vector<LinkId> links;
    std::vector<Waiting> waiting;
    bool is_lasting = false;  // a gateway's: it may come back
  };

  std::vector<Waiting> Wake(Group& group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  absl::Mutex mu_;
  LinkId next_ ABSL_GUARDED_BY(mu_) = 1;
  absl::flat_hash_map<LinkId, std::shared_ptr<Link>> links_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, Group> groups_ ABSL_GUARDED_BY(mu_);
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_LINK_TABLE_H_
