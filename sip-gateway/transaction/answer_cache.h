#ifndef PRESENCE_SIP_GATEWAY_TRANSACTION_ANSWER_CACHE_H_
#define PRESENCE_SIP_GATEWAY_TRANSACTION_ANSWER_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "sip-gateway/transaction/stored_answer.h"
#include "sip-gateway/transaction/transaction_key.h"

namespace presence::sip {

// The server transactions in state Completed. All stay equally long, so they lie in the order they
// came in, and leave at the front: no timer each. At most 96 bytes an answer, the index included.
// Not thread-safe.
class AnswerCache {
 public:
  // `lifetime` is Timer J.
  AnswerCache(absl::Time start, absl::Duration lifetime, size_t max_answers);
  AnswerCache(const AnswerCache&) = delete;
  AnswerCache& operator=(const AnswerCache&) = delete;

  // Keeps the answer until `now` + lifetime; beyond max_answers the oldest one goes. An answer that
  // is there under this key already stays.
  void Put(const TransactionKey& key, const StoredAnswer& answer, absl::Time now);

  // nullptr if there is none; valid until the next Put() or Expire().
  const StoredAnswer* Find(const TransactionKey& key) const;

  // Forgets what is past its lifetime; returns when the next one will be, InfiniteFuture if none.
  absl::Time Expire(absl::Time now);

  size_t size() const { return entries_.size(); }
  uint64_t evicted() const { return evicted_; }

 private:
  struct Entry {
    TransactionKey key;
    StoredAnswer answer;
    uint32_t millis;  // since start, modulo 2^32: 49 days, against a lifetime of seconds
  };
  // The index holds places in the queue, and hashes the key found there: 5 bytes where a key would
  // take 16 more.
  struct PlaceHash {
    using is_transparent = void;
    const AnswerCache* cache;
    size_t operator()(uint32_t place) const;
    size_t operator()(const TransactionKey& key) const;
  };
  struct PlaceEqual {
    using is_transparent = void;
    const AnswerCache* cache;
    bool operator()(uint32_t a, uint32_t b) const { return a == b; }
    bool operator()(uint32_t place, const TransactionKey& key) const;
    bool operator()(const TransactionKey& key, uint32_t place) const;
  };
  static constexpr size_t kIndexBytes = sizeof(uint32_t) + 1;  // a slot and its control byte
  static_assert(sizeof(Entry) + kIndexBytes <= 96);

  const Entry& At(uint32_t place) const {
    return entries_[static_cast<uint32_t>(place - first_place_)];
  }
  uint32_t Millis(absl::Time t) const;
  void DropOldest();

  const absl::Time start_;
  const absl::Duration lifetime_;
  const size_t max_answers_;
  std::deque<Entry> entries_;
  uint32_t first_place_ = 0;  // of entries_.front(); places count up and wrap
  absl::flat_hash_set<uint32_t, PlaceHash, PlaceEqual> index_;
  uint64_t evicted_ = 0;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSACTION_ANSWER_CACHE_H_
