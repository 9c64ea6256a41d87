#ifndef PRESENCE_SIP_GATEWAY_DIALOGS_NOTIFIER_H_
#define PRESENCE_SIP_GATEWAY_DIALOGS_NOTIFIER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "presence/v1/gateway.pb.h"
#include "sip-gateway/dialogs/local_contacts.h"
#include "sip-gateway/locating/locator.h"
#include "sip-gateway/transaction/client_transactions.h"
#include "sip-gateway/translate/notify.h"

namespace presence::sip {

struct NotifierConfig {
  std::string product;  // User-Agent; empty: none
  // What the core hears of a dialog whose flow is lost and whose Contact cannot be reached:
  // NO_FLOW, after which it waits for the watcher's next SUBSCRIBE, or FLOW_LOST_REMOVE, which ends
  // the subscription.
  bool removes_on_flow_lost = false;
};

// Rising numbers, for metrics.
struct NotifierStats {
  uint64_t instructed = 0;
  uint64_t answered = 0;
  std::map<int, uint64_t> answered_by_code;
  uint64_t timed_out = 0;
  uint64_t transport_errors = 0;
  uint64_t no_flow = 0;
  uint64_t superseded = 0;
  uint64_t unsendable = 0;
  uint64_t loops = 0;           // of the unsendable: to an address of our own
  uint64_t flow_fallbacks = 0;  // the flow was lost, the Contact was tried
  uint64_t given_up = 0;        // no core was left to tell
  size_t in_flight = 0;         // now
};

// Sends the NOTIFYs the core instructs and reports how each ended, once. For the gateway's thread.
//
// There is one NOTIFY a dialog: a newer instruction (by epoch, then CSeq) stops the older one,
// whose transaction ends silently and is reported SUPERSEDED. A NOTIFY goes over the flow its
// SUBSCRIBE came by while that is open (N08); else to its next hop, by RFC 3263.
class Notifier {
 public:
  using Reporter = absl::AnyInvocable<void(v1::NotifyResult)>;

  Notifier(NotifierConfig config, Transport& transport, ClientTransactions& transactions,
           Locator& locator, const LocalContacts& contacts, Reporter report);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  void Instruct(v1::NotifyInstruction instruction, std::string_view body);

  // Stops everything and reports nothing: the core that instructed it is gone, and the next one
  // will instruct anew what it finds missing in our greeting.
  void GiveUpAll();

  std::vector<v1::InstructionId> InFlight() const;
  size_t in_flight() const { return dialogs_.size(); }
  NotifierStats stats() const;

 private:
  // The NOTIFY in flight of one dialog: being located, or in a transaction.
  struct Sending {
    v1::InstructionId id;
    std::shared_ptr<const NotifyMessage> message;
    LookupId lookup = 0;
    ClientTransactionId transaction = 0;
    bool is_over_flow = false;
  };

  bool TakesPlace(const v1::NotifyInstruction& instruction);
  void Cancel(Sending& sending);
  void SendOverFlow(const std::string& tag, FlowId flow);
  void SendToNextHop(const std::string& tag);
  void OnLocated(const std::string& tag, LocateResult result);
  void Start(const std::string& tag, absl::InlinedVector<NextHop, 2> hops);
  void OnOutcome(const std::string& tag, const ClientOutcome& outcome);
  void OnUnreachable(const std::string& tag);
  void Finish(const std::string& tag, v1::NotifyResult::Outcome outcome);
  void Count(v1::NotifyResult::Outcome outcome);

  const NotifierConfig config_;
  Transport& transport_;
  ClientTransactions& transactions_;
  Locator& locator_;
  const LocalContacts& contacts_;
  Reporter report_;
  absl::flat_hash_map<std::string, Sending> dialogs_;  // by local tag
  NotifierStats stats_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_DIALOGS_NOTIFIER_H_
