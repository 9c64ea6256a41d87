#ifndef PRESENCE_CORE_ENGINE_LINK_TABLE_H_
#define PRESENCE_CORE_ENGINE_LINK_TABLE_H_

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "presence-core/engine/watcher_link.h"

namespace presence {

// The links by which instructions leave, under the names that dialogs know them by, with their
// credit. Thread-safe. Its lock is taken while a stripe's is held, never the other way round.
//
// Who finds no credit waits in a line: that of the group, where any link will do, or that of the
// one gateway that holds the dialog's connection. Credit comes by the hundred, and a resource with
// ten thousand watchers takes all there is: it then stands behind those who found none.
class LinkTable {
 public:
  using LinkId = uint64_t;
  static constexpr LinkId kNone = 0;
  // So long a gateway that is away is taken to come back with its connections. By then it has
  // stopped its own NOTIFYs, too (core_lost_after of the gateway's link).
  static constexpr absl::Duration kFlowGrace = absl::Seconds(3);

  // By which links an instruction may leave.
  struct Wanted {
    std::string_view group;
    std::string_view flow_gateway;  // empty: any link of the group
    // A gateway's, which may come back. The link of a native watcher goes with the watcher.
    bool is_lasting;
  };
  // A line, for those who stand in it.
  using Line = size_t;
  // A resource that could not go on for want of credit.
  struct Waiting {
    int stripe;
    uint32_t cell;
    Line line;
  };

  // Both return the resources to wake, no more than there is credit for; AddCredit of 0 wakes those
  // who are left after somebody had no use for the credit.
  std::pair<LinkId, std::vector<Waiting>> Attach(LinkName name, WatcherLink& link, size_t credit);
  std::vector<Waiting> AddCredit(LinkId id, size_t credit);

  // Waits until no Deliver of it is running.
  void Detach(LinkId id, absl::Time now);
  bool IsAttached(LinkId id);

  // Takes one credit of a link, or tells the line in which to wait for one. `is_remembered` tells
  // of a line whether the resource waits in it already; it is remembered in any other, but in that
  // of a name that is not lasting only while a link has it.
  struct Taken {
    LinkId link = kNone;
    Line line = 0;
  };
  Taken Take(const Wanted& wanted, int stripe, uint32_t cell,
             absl::FunctionRef<bool(Line)> is_remembered, absl::Time now);

  // Whether Take would find credit.
  bool HasCredit(const Wanted& wanted, absl::Time now);

  // Of a shared journal: one process at a time instructs the dialogs of a gateway group. Each time
  // that it becomes this one after another, a tenure begins, with a number that none of any group
  // had before. TenureOf is 0 while it is not this one.
  uint32_t BeginTenure(const std::string& group);
  // Nobody else has instructed them meanwhile: that of before goes on, if there was one.
  uint32_t ResumeTenure(const std::string& group);
  void EndTenure(const std::string& group);
  uint32_t TenureOf(std::string_view group);

  // The resources that wait for gateways which have been away for too long, at most `most`: their
  // connections are taken as lost, and any link of the group will do.
  std::vector<Waiting> GiveUpFlows(absl::Time now, size_t most);

  // Gives instructions to the link they took their credit from; drops them if it has gone: the
  // dialogs are found by Reconcile, or by their guard timer.
  void Deliver(LinkId id, std::vector<Instruction> instructions);

 private:
  struct Link {
    LinkName name;
    absl::Mutex delivering;  // held during Deliver; taken before nothing
    WatcherLink* link ABSL_GUARDED_BY(delivering);
    size_t credit = 0;  // guarded by mu_ of the table
  };
  // A resource, as Take() knows it.
  struct Taker {
    int stripe = -1;
    uint32_t cell = 0;
    friend bool operator==(const Taker&, const Taker&) = default;
  };
  // Those in one line, each once.
  class Queue {
   public:
    bool empty() const { return passed_over_.empty() && served_.empty(); }
    void OnTaken(const Taker& taker) { last_ = taker; }
    void Add(const Waiting& waiting);
    // Those who were passed over come first in what is moved, so that they take credit first; but
    // half of it is those who were served, if there are any, so that these go on as well.
    void MoveFront(size_t most, std::vector<Waiting>& to);

   private:
    Taker last_;  // to find credit
    std::list<Waiting> passed_over_;
    std::list<Waiting> served_;  // found some, and had use for more
    bool is_turn_of_served_ = false;
  };
  struct Group {
    std::vector<LinkId> links;
    Queue waiting;
    bool is_lasting = false;  // a gateway's: it may come back
  };
  // One gateway, for the dialogs on its connections; kept while it is away.
  struct Gateway {
    LinkId link = kNone;
    absl::Time away_since;  // while link is kNone
    Queue waiting;
  };

  static Line LineOfGroup(std::string_view name) { return std::hash<std::string_view>()(name); }
  // Another than that of a group of the same name, which a lone gateway has.
  static Line LineOfGateway(std::string_view name) { return ~LineOfGroup(name); }
  std::vector<Waiting> Wake(const Link& link) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // The line of the gateway that holds the flow; null when any link will do.
  Gateway* HolderOf(const Wanted& wanted, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  absl::Mutex mu_;
  LinkId next_ ABSL_GUARDED_BY(mu_) = 1;
  absl::flat_hash_map<LinkId, std::shared_ptr<Link>> links_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, Group> groups_ ABSL_GUARDED_BY(mu_);
  struct Tenure {
    uint32_t number = 0;
    bool is_ours = false;
  };
  uint32_t last_tenure_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<std::string, Tenure> tenures_ ABSL_GUARDED_BY(mu_);
  // In an order: more than one may be given up at once.
  std::map<std::string, Gateway, std::less<>> gateways_ ABSL_GUARDED_BY(mu_);
};

}  // namespace presence

#endif  // PRESENCE_CORE_ENGINE_LINK_TABLE_H_
