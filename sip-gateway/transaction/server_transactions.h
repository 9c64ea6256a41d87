#ifndef PRESENCE_SIP_GATEWAY_TRANSACTION_SERVER_TRANSACTIONS_H_
#define PRESENCE_SIP_GATEWAY_TRANSACTION_SERVER_TRANSACTIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "runtime/clock.h"
#include "runtime/random.h"
#include "sip-gateway/sofia/message.h"
#include "sip-gateway/transaction/answer_cache.h"
#include "sip-gateway/transaction/stored_answer.h"
#include "sip-gateway/transaction/transaction_key.h"
#include "sip-gateway/transport/transport.h"

namespace presence::sip {

using ServerTransactionId = uint64_t;

// Prints an answer: a pure function of its arguments and the configuration, so that a
// retransmission is answered by the same bytes. `to_tag` stays as the request has it where it has
// one.
class AnswerPrinter {
 public:
  virtual ~AnswerPrinter() = default;
  virtual std::string PrintAnswer(const Message& request, const Source& source,
                                  const StoredAnswer& answer) = 0;
};

struct ServerTransactionConfig {
  absl::Duration t1 = absl::Milliseconds(500);
  // Answers kept for retransmissions; the oldest goes first. 16,384 answers a second for Timer J's
  // 32 s.
  size_t max_answers = 1 << 19;
  // Requests that wait for their answer; one more is answered 503 with this Retry-After.
  size_t max_pending = 16'384;
  uint32_t overload_retry_after_seconds = 5;
};

// Rising numbers, for metrics.
struct ServerTransactionStats {
  uint64_t requests = 0;  // new ones, passed on
  uint64_t absorbed = 0;  // retransmissions while the answer was not yet there
  uint64_t answered_again = 0;
  uint64_t merged = 0;      // 482
  uint64_t overloaded = 0;  // 503
  uint64_t acks_dropped = 0;
  uint64_t cancels = 0;
  uint64_t evicted_answers = 0;   // before their time, because of max_answers
  uint64_t unstored_answers = 0;  // RespondOnce()
  size_t pending = 0;             // now
  size_t stored_answers = 0;      // now
};

// The non-INVITE server transactions of RFC 3261 §17.2.2, for the thread of the event loop. Owns
// the requests that wait for an answer, and a cache of what was answered.
//
// Trying: the request is here, its answer is not; retransmissions are absorbed. Proceeding does not
// occur, for we send no provisional answers (RFC 4320 §4.1 forbids all but a late 100). Completed:
// over UDP, for Timer J = 64*T1; a retransmission is answered again from the StoredAnswer. Over a
// reliable transport Timer J is zero: done at once.
class ServerTransactions {
 public:
  ServerTransactions(const Clock& clock, Random& random, Transport& transport,
                     AnswerPrinter& printer, const ServerTransactionConfig& config = {});
  ServerTransactions(const ServerTransactions&) = delete;
  ServerTransactions& operator=(const ServerTransactions&) = delete;

  // Takes a request that came in. A new one gets an id and waits until Respond() or RespondOnce().
  // Nothing comes back if there is nothing to do: a retransmission (absorbed or answered again), an
  // ACK (dropped), a CANCEL (200 or 481: RFC 3261 §9.2, RFC 6665 §4.6), a merged request (482: RFC
  // 3261 §8.2.2.2), overload (503).
  std::optional<ServerTransactionId> OnRequest(std::unique_ptr<Message> request,
                                               const Source& source);

  // The waiting request; nullptr if it has been answered.
  const Message* Request(ServerTransactionId id) const;
  const Source* SourceOf(ServerTransactionId id) const;

  // Prints the answer, sends it and keeps what it takes to do so again. An id already answered is
  // not an error and does nothing (RFC 3261 §17.2.2: any other final response is discarded).
  void Respond(ServerTransactionId id, const StoredAnswer& answer);

  // Sends an answer that a StoredAnswer cannot hold. A retransmission will come as a new request:
  // only for requests where that does no harm, as it is answered the same again.
  void RespondOnce(ServerTransactionId id, std::string_view bytes);

  // Forgets answers whose Timer J has fired; returns when it wants to be called again at the
  // latest.
  absl::Time Advance(absl::Time now);

  ServerTransactionStats stats() const;

 private:
  struct Pending {
    std::unique_ptr<Message> request;
    Source source;
    TransactionKey key;
    TransactionKey merge_key;
  };

  ServerTransactionId Admit(std::unique_ptr<Message> request, const Source& source,
                            const TransactionKey& key, const TransactionKey& merge_key);
  void HonourAlias(const Via& via, const Source& source);
  void Answer(const Message& request, const Source& source, const StoredAnswer& answer);
  void AnswerStatus(const Message& request, const Source& source, int status, uint32_t seconds = 0);
  void AnswerCancel(const Message& cancel, const Source& source);
  void Forget(ServerTransactionId id);

  const Clock& clock_;
  Transport& transport_;
  AnswerPrinter& printer_;
  const ServerTransactionConfig config_;
  const KeyHasher hasher_;
  AnswerCache answers_;
  absl::flat_hash_map<ServerTransactionId, Pending> pending_;
  absl::flat_hash_map<TransactionKey, ServerTransactionId> by_key_;
  absl::flat_hash_map<TransactionKey, ServerTransactionId> by_merge_key_;
  ServerTransactionId next_id_ = 1;
  ServerTransactionStats stats_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSACTION_SERVER_TRANSACTIONS_H_
