#include "sip-gateway/transaction/server_transactions.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_format.h"
#include "sip-gateway/transaction/response_route.h"

namespace presence::sip {
namespace {

// What a CANCEL may be for: it does not name the method it cancels.
constexpr std::array<std::string_view, 4> kCancellable = {"SUBSCRIBE", "PUBLISH", "NOTIFY",
                                                          "OPTIONS"};
// Answers leave in bunches rather than wake the loop one by one.
constexpr absl::Duration kExpiryPause = absl::Milliseconds(100);

}  // namespace

ServerTransactions::ServerTransactions(const Clock& clock, Random& random, Transport& transport,
                                       AnswerPrinter& printer,
                                       const ServerTransactionConfig& config)
    : clock_(clock),
      transport_(transport),
      printer_(printer),
      config_(config),
      hasher_(random),
      answers_(clock.Now(), 64 * config.t1, config.max_answers) {}

std::optional<ServerTransactionId> ServerTransactions::OnRequest(std::unique_ptr<Message> request,
                                                                 const Source& source) {
  if (request->method() == "ACK") {
    // RFC 3261 §17.1.1.3: it belongs to an INVITE, of which we have none, and is never answered.
    ++stats_.acks_dropped;
    return std::nullopt;
  }
  if (request->method() == "CANCEL") {
    ++stats_.cancels;
    AnswerCancel(*request, source);
    return std::nullopt;
  }
  const TransactionKey key = hasher_.KeyOf(*request);
  if (const StoredAnswer* answer = answers_.Find(key)) {
    ++stats_.answered_again;
    Answer(*request, source, *answer);
    return std::nullopt;
  }
  if (by_key_.contains(key)) {
    ++stats_.absorbed;
    return std::nullopt;
  }
  // RFC 3261 §8.2.2.2: only a request outside a dialog can have come by two ways.
  const TransactionKey merge_key = hasher_.MergeKeyOf(*request);
  if (request->to().tag.empty() && by_merge_key_.contains(merge_key)) {
    ++stats_.merged;
    AnswerStatus(*request, source, 482);
    return std::nullopt;
  }
  if (pending_.size() >= config_.max_pending) {
    ++stats_.overloaded;
    AnswerStatus(*request, source, 503, config_.overload_retry_after_seconds);
    return std::nullopt;
  }
  return Admit(std::move(request), source, key, merge_key);
}

ServerTransactionId ServerTransactions::Admit(std::unique_ptr<Message> request,
                                              const Source& source, const TransactionKey& key,
                                              const TransactionKey& merge_key) {
  ++stats_.requests;
  HonourAlias(request->top_via(), source);
  const ServerTransactionId id = next_id_++;
  by_key_.emplace(key, id);
  by_merge_key_.emplace(merge_key, id);
  pending_.emplace(
      id,
      Pending{.request = std::move(request), .source = source, .key = key, .merge_key = merge_key});
  return id;
}

// RFC 5923 §5.1, for TCP under the conditions of Transport::Alias: the sent-by must be the very
// address that the connection comes from, in figures, for a name proves nothing.
void ServerTransactions::HonourAlias(const Via& via, const Source& source) {
  if (!via.has_alias || source.flow == kNoFlow) return;
  if (IpAddress::Parse(via.host) != source.remote.ip()) return;
  transport_.Alias(source.flow, via.port != 0 ? via.port : kDefaultSipPort);
}

// RFC 3261 §9.2: 481 if there is nothing to cancel, else 200; the request itself, not being an
// INVITE, goes on.
void ServerTransactions::AnswerCancel(const Message& cancel, const Source& source) {
  const bool is_known = std::any_of(kCancellable.begin(), kCancellable.end(),
                                    [this, &cancel](std::string_view method) {
                                      const TransactionKey key = hasher_.KeyOf(cancel, method);
                                      return by_key_.contains(key) || answers_.Find(key) != nullptr;
                                    });
  AnswerStatus(cancel, source, is_known ? 200 : 481);
}

const Message* ServerTransactions::Request(ServerTransactionId id) const {
  const auto it = pending_.find(id);
  return it == pending_.end() ? nullptr : it->second.request.get();
}

const Source* ServerTransactions::SourceOf(ServerTransactionId id) const {
  const auto it = pending_.find(id);
  return it == pending_.end() ? nullptr : &it->second.source;
}

void ServerTransactions::Answer(const Message& request, const Source& source,
                                const StoredAnswer& answer) {
  transport_.Send(ResponseRoute(source, request.top_via()),
                  printer_.PrintAnswer(request, source, answer));
}

// An answer without a transaction: RFC 3261 §8.2.7 wants the same To tag for the same request, so
// it is a hash of it.
void ServerTransactions::AnswerStatus(const Message& request, const Source& source, int status,
                                      uint32_t seconds) {
  StoredAnswer answer;
  answer.status = static_cast<uint16_t>(status);
  answer.seconds = seconds;
  const TransactionKey key = hasher_.KeyOf(request);
  static_cast<void>(answer.SetTags(absl::StrFormat("%016x%08x", key.high, key.low >> 32), ""));
  Answer(request, source, answer);
}

void ServerTransactions::Respond(ServerTransactionId id, const StoredAnswer& answer) {
  const auto it = pending_.find(id);
  if (it == pending_.end()) return;
  const Pending& pending = it->second;
  Answer(*pending.request, pending.source, answer);
  // RFC 3261 §17.2.2: Timer J is zero over a reliable transport.
  if (!IsReliable(pending.source.protocol)) answers_.Put(pending.key, answer, clock_.Now());
  Forget(id);
}

void ServerTransactions::RespondOnce(ServerTransactionId id, std::string_view bytes) {
  const auto it = pending_.find(id);
  if (it == pending_.end()) return;
  ++stats_.unstored_answers;
  transport_.Send(ResponseRoute(it->second.source, it->second.request->top_via()), bytes);
  Forget(id);
}

void ServerTransactions::Forget(ServerTransactionId id) {
  const auto it = pending_.find(id);
  by_key_.erase(it->second.key);
  // Of two requests of one dialog with one merge key only the first is in the index.
  const auto merge = by_merge_key_.find(it->second.merge_key);
  if (merge != by_merge_key_.end() && merge->second == id) by_merge_key_.erase(merge);
  pending_.erase(it);
}

absl::Time ServerTransactions::Advance(absl::Time now) {
  return std::max(answers_.Expire(now), now + kExpiryPause);
}

ServerTransactionStats ServerTransactions::stats() const {
  ServerTransactionStats stats = stats_;
  stats.evicted_answers = answers_.evicted();
  stats.pending = pending_.size();
  stats.stored_answers = answers_.size();
  return stats;
}

}  // namespace presence::sip
