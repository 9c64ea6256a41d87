#ifndef PRESENCE_SIP_GATEWAY_TRANSACTION_CLIENT_TRANSACTIONS_H_
#define PRESENCE_SIP_GATEWAY_TRANSACTION_CLIENT_TRANSACTIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "runtime/timer_wheel.h"
#include "sip-gateway/sofia/message.h"
#include "sip-gateway/transaction/branch_memory.h"
#include "sip-gateway/transaction/tcp_refusals.h"
#include "sip-gateway/transport/transport.h"

namespace presence::sip {

using ClientTransactionId = uint64_t;

// How a request ended.
struct ClientOutcome {
  enum class Kind : uint8_t {
    kAnswered,        // a final response
    kTimedOut,        // Timer F: nothing final came
    kTransportError,  // it could not be delivered to any hop
    kUnsendable,      // it could not be printed
  };
  Kind kind = Kind::kAnswered;
  // Of the response; without one what RFC 3261 §8.1.3.1 lets it be treated as: 408 or 503, and 500
  // for kUnsendable.
  int status = 0;
  // During the call only; null if the outcome was local, or of a response known by its facts only.
  const Message* response = nullptr;
  std::optional<uint32_t> retry_after_seconds = {};
  NextHop hop = {};                            // the last one tried
  SendFailure failure = SendFailure::kClosed;  // of a kTransportError
};

struct ClientRequest {
  std::string method;

  // Prints the whole request under this top Via (a header value, see FormatVia). Called again for
  // each hop, with a new branch, and when the protocol changes.
  absl::AnyInvocable<absl::StatusOr<std::string>(std::string_view via)> render;

  // To be tried in this order: RFC 3263 §4.3. Not empty.
  absl::InlinedVector<NextHop, 2> hops;

  // Called once, unless stopped; the transaction is gone by then, and Start() may be called from
  // inside.
  absl::AnyInvocable<void(const ClientOutcome&)> on_outcome;
};

// Told of hops that failed or answered, to order later requests' hops by. Not called for a hop that
// was one connection.
class HopObserver {
 public:
  virtual ~HopObserver() = default;
  virtual void OnHopFailed(const NextHop& hop, std::optional<uint32_t> retry_after_seconds) = 0;
  virtual void OnHopAnswered(const NextHop& hop) = 0;
};

struct ClientTransactionConfig {
  absl::Duration t1 = absl::Milliseconds(500);
  absl::Duration t2 = absl::Seconds(4);
  absl::Duration t4 = absl::Seconds(5);
  // RFC 3261 §18.1.1: with the path MTU unknown, a longer request goes over TCP.
  size_t max_datagram_request = 1300;
  // A peer that refused TCP is not asked again for so long, and gets its long requests by UDP.
  absl::Duration tcp_refusal_memory = absl::Minutes(5);
};

// Rising numbers, for metrics.
struct ClientTransactionStats {
  uint64_t started = 0;
  uint64_t retransmissions = 0;
  uint64_t answered = 0;
  uint64_t timed_out = 0;
  uint64_t transport_errors = 0;
  uint64_t stopped = 0;
  uint64_t failovers = 0;
  uint64_t switched_to_tcp = 0;     // too long for UDP
  uint64_t fell_back_to_udp = 0;    // ... and TCP was refused
  uint64_t absorbed_responses = 0;  // retransmitted, or to a stopped transaction
  uint64_t stray_responses = 0;     // to nothing we know
  uint64_t foreign_responses = 0;   // with a Via that is not ours: RFC 3261 §18.1.2
  size_t active = 0;                // now
};

// What of a response decides which transaction it belongs to and what happens; views into
// somebody's bytes.
struct ResponseFacts {
  std::string_view branch;
  std::string_view via_host;  // sent-by, IPv6 without brackets
  uint16_t via_port = 0;
  size_t via_count = 1;
  std::string_view cseq_method;
  int status = 0;
  std::optional<uint32_t> retry_after_seconds = {};
};

// The non-INVITE client transactions of RFC 3261 §17.1.2, for the thread of the event loop.
//
// Trying and Proceeding are one entry with one running timer, the earlier of E and F. Completed
// (Timer K) is a place in a queue of branches: it exists to tell a late response from a stray one,
// and either is dropped. Our requests are NOTIFYs, so nobody is told of provisional responses.
//
// A request longer than max_datagram_request for a UDP hop is sent over TCP to the same address,
// with a Via to match; if that brings no answer because the connection fails, it goes over UDP
// after all, whole (RFC 3261 §18.1.1).
//
// A hop that fails (transport error, 503, Timer F) is followed by the next one, as a new
// transaction: RFC 3263 §4.3.
class ClientTransactions {
 public:
  ClientTransactions(const Clock& clock, Random& random, Transport& transport,
                     const ClientTransactionConfig& config = {}, HopObserver* observer = nullptr);
  ~ClientTransactions();
  ClientTransactions(const ClientTransactions&) = delete;
  ClientTransactions& operator=(const ClientTransactions&) = delete;

  // Sends the request; its outcome comes later, never from inside this call.
  ClientTransactionId Start(ClientRequest request);

  // Sends nothing more and reports nothing: a newer request has taken this one's place. A response
  // to it is still recognised, and absorbed. An unknown id, or one that has ended, is not an error.
  void Stop(ClientTransactionId id);
  void StopAll();

  // A response came. One that matches no transaction is dropped (RFC 3261 §18.1.2).
  void OnResponse(const Message& response);
  // The same for a caller that has read no more than the facts.
  void OnResponse(const ResponseFacts& facts, const Message* response = nullptr);

  // From MessageSink.
  void OnFlowClosed(FlowId flow, SendFailure why);
  void OnSendFailed(SendTag tag, SendFailure why);
  // RFC 3261 §18.4. Believed only if it quotes the branch of a request that went to `remote`.
  void OnIcmpError(const SocketAddress& remote, std::string_view quoted, SendFailure why);

  // Fires what is due; returns NextDue().
  absl::Time Advance(absl::Time now);

  // When it wants to be advanced again at the latest. Ask after the transport's Flush(): a failure
  // told there begins the next attempt, with timers of its own.
  absl::Time NextDue() const { return wheel_.NextDue(); }

  ClientTransactionStats stats() const;

 private:
  struct Transaction;

  Transaction* Find(ClientTransactionId id);
  // Sends the request to the present hop. What stands in its way, if it cannot even be tried.
  std::optional<ClientOutcome> Attempt(ClientTransactionId id, Transaction& transaction);
  absl::StatusOr<std::string> Render(Transaction& transaction, const Listener& listener);
  bool SwitchToTcp(Transaction& transaction, const Listener*& listener);
  void Transmit(ClientTransactionId id, Transaction& transaction);
  void ArmTimer(ClientTransactionId id, Transaction& transaction);
  void OnTimer(ClientTransactionId id, absl::Time now);
  void OnTransportFailure(ClientTransactionId id, SendFailure why);
  // Goes on to the next hop, or ends with `outcome` if there is none.
  void OnHopFailure(ClientTransactionId id, ClientOutcome outcome);
  void EndAttempt(ClientTransactionId id, Transaction& transaction, BranchMemory& memory);
  void Finish(ClientTransactionId id, ClientOutcome outcome);
  void Observe(const Transaction& transaction, const ClientOutcome& outcome);

  const Clock& clock_;
  Random& random_;
  Transport& transport_;
  const ClientTransactionConfig config_;
  HopObserver* const observer_;
  TimerWheel wheel_;
  std::vector<uint64_t> due_;
  absl::flat_hash_map<ClientTransactionId, std::unique_ptr<Transaction>> transactions_;
  absl::flat_hash_map<uint64_t, ClientTransactionId> by_branch_;
  absl::flat_hash_map<FlowId, absl::flat_hash_set<ClientTransactionId>> by_flow_;
  BranchMemory completed_;  // for Timer K
  BranchMemory stopped_;    // for as long as they would have run
  TcpRefusals tcp_refusals_;
  ClientTransactionId next_id_ = 1;
  ClientTransactionStats stats_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSACTION_CLIENT_TRANSACTIONS_H_
