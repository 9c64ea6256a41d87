#ifndef PRESENCE_SIP_GATEWAY_SERVER_GATEWAY_H_
#define PRESENCE_SIP_GATEWAY_SERVER_GATEWAY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "presence/v1/gateway.pb.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "sip-gateway/auth/trusted_peers.h"
#include "sip-gateway/core_link/frame_stream.h"
#include "sip-gateway/core_link/link.h"
#include "sip-gateway/dialogs/hop_memory.h"
#include "sip-gateway/dialogs/local_contacts.h"
#include "sip-gateway/dialogs/notifier.h"
#include "sip-gateway/locating/locator.h"
#include "sip-gateway/transaction/client_transactions.h"
#include "sip-gateway/transaction/server_transactions.h"
#include "sip-gateway/translate/capabilities.h"
#include "sip-gateway/translate/identity.h"
#include "sip-gateway/translate/uas_checks.h"
#include "sip-gateway/transport/transport.h"

namespace presence::sip {

struct GatewaySettings {
  LinkConfig link;
  ServerTransactionConfig server_transactions;
  ClientTransactionConfig client_transactions;
  std::vector<std::string> domains;  // empty: every domain
  TrustedPeers trusted_peers;
  std::string sender_header;  // believed from trusted peers; empty: none
  std::string contact;        // in place of those made of the listeners; empty: made
  std::string product;        // Server and User-Agent; empty: left out
  bool removes_on_flow_lost = false;
};

// Told of what an operator should know. Called on the gateway's thread.
class GatewayObserver {
 public:
  virtual ~GatewayObserver() = default;
  virtual void OnCoreConnected(const std::string& address, const v1::Welcome& welcome) = 0;
  virtual void OnCoreDisconnected(const std::string& address, const absl::Status& why) = 0;
  virtual void OnCoreLost(size_t notifies_given_up) = 0;
};

// Messages that were broken in one way.
struct BrokenMessages {
  uint64_t answered = 0;  // 400 or the like
  uint64_t dropped = 0;   // an answer is not allowed, or impossible
};

// Rising numbers, for metrics; those of the parts are in the parts' own.
struct GatewayStats {
  uint64_t messages = 0;
  uint64_t publishes = 0;
  uint64_t subscribes = 0;
  uint64_t options = 0;
  uint64_t refused_requests = 0;  // by a check of the UAS
  uint64_t refused_messages = 0;  // broken, and answered 400 or the like
  uint64_t dropped_messages = 0;  // broken, and not to be answered
  uint64_t responses = 0;
  // Whole requests as they came, repeated ones included; "other" for methods that are none of ours.
  std::map<std::string_view, uint64_t> requests_by_method;
  std::map<int, uint64_t> answers_by_code;  // as sent, repeated ones included
  std::map<std::string, BrokenMessages, std::less<>> broken_messages;  // by the phrase of the fault
  ServerTransactionStats server_transactions;
  ClientTransactionStats client_transactions;
  NotifierStats notifier;
  LinkStats link;
};

// The whole gateway but its sockets, its DNS and its gRPC: what a message means, who answers it,
// what the core is asked and what becomes of its instructions. One thread, the event loop's, makes
// all calls; the simulation makes them too, with ports of its own. References outlive it.
class Gateway final : public MessageSink, private AnswerPrinter, private LinkUser {
 public:
  Gateway(GatewaySettings settings, const Clock& clock, Random& random, Transport& transport,
          Locator& locator, FrameStreamOpener& opener, GatewayObserver* observer = nullptr);
  ~Gateway() override;
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  void OnMessage(const Source& source, const ScannedMessage& scan) override;
  void OnRefused(const Source& source, const Refusal& refusal) override;
  void OnFlowClosed(FlowId flow, SendFailure why) override;
  void OnSendFailed(SendTag tag, SendFailure why) override;
  void OnIcmpError(const SocketAddress& remote, std::string_view quoted, SendFailure why) override;

  // The end of a turn: does what is due and sends what the turn caused, to the core and to the
  // network. Returns when it wants to be called again at the latest.
  absl::Time Advance(absl::Time now);

  // From now on new requests are answered 503 with Retry-After, and what is under way is finished.
  void StartDraining() { is_draining_ = true; }
  // True when nothing is under way any more.
  bool is_drained() const;

  bool is_connected() const { return link_.is_connected(); }
  GatewayStats stats() const;

 private:
  // AnswerPrinter
  std::string PrintAnswer(const Message& request, const Source& source,
                          const StoredAnswer& answer) override;
  // LinkUser
  std::vector<v1::InstructionId> NotifiesInFlight() const override { return notifier_.InFlight(); }
  size_t NotifiesInFlightCount() const override { return notifier_.in_flight(); }
  void OnConnected(const std::string& address, const v1::Welcome& welcome) override;
  void OnDisconnected(const std::string& address, const absl::Status& why) override;
  void OnCoreLost() override;
  void OnInstruction(v1::NotifyInstruction instruction, std::string_view body) override;

  void OnRequest(std::unique_ptr<Message> request, const Source& source);
  void AskPublish(ServerTransactionId id, const Message& publish, const Source& source);
  void AskSubscribe(ServerTransactionId id, const Message& subscribe, const Source& source);
  void Respond(ServerTransactionId id, Answer answer);
  void RefuseBroken(const Source& source, const Refusal& refusal);
  std::string Print(const Message& request, const Source& source, const Answer& answer);
  Trust TrustIn(const Source& source) const;
  const std::string& ContactFor(const Message& request, const Source& source) const;

  const GatewaySettings settings_;
  Transport& transport_;
  GatewayObserver* const observer_;
  const ServedDomains domains_;
  const LocalContacts contacts_;
  Capabilities capabilities_;
  SeededRandom tags_;  // To tags of answers that make no dialog: different, need not be secret
  HopMemory hop_memory_;
  ServerTransactions server_transactions_;
  ClientTransactions client_transactions_;
  Notifier notifier_;
  Link link_;
  bool is_draining_ = false;
  GatewayStats stats_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_SERVER_GATEWAY_H_
