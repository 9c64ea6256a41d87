#ifndef PRESENCE_SIP_GATEWAY_TRANSACTION_TRANSACTION_KEY_H_
#define PRESENCE_SIP_GATEWAY_TRANSACTION_TRANSACTION_KEY_H_

#include <cstdint>
#include <string_view>
#include <utility>

#include "runtime/random.h"
#include "sip-gateway/sofia/message.h"

namespace presence::sip {

// The identity of a server transaction: 128 bits of a keyed hash, so that nobody can build two
// requests of one key, and be sent the other's answer.
struct TransactionKey {
  uint64_t high = 0;
  uint64_t low = 0;

  friend bool operator==(const TransactionKey&, const TransactionKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const TransactionKey& key) {
    return H::combine(std::move(h), key.low);
  }
};

// Computes keys under a secret of this process.
class KeyHasher {
 public:
  explicit KeyHasher(Random& random)
      : secret_high_(random.Next64()), secret_low_(random.Next64()) {}

  // What RFC 3261 §17.2.3 matches a request by. With the magic cookie: branch, sent-by and method,
  // and beyond the RFC the Call-ID, CSeq and From tag: a client that keeps the branch unique has
  // them equal anyway, and who merely guesses a branch is not sent the answer, with the entity-tag,
  // that somebody else got. Without the cookie (RFC 2543): Request-URI, From and To tag, Call-ID,
  // CSeq and the whole top Via.
  TransactionKey KeyOf(const Message& request) const { return KeyOf(request, request.method()); }
  // The key that `request` would have if its method were `method`: RFC 3261 §9.2, for a CANCEL.
  TransactionKey KeyOf(const Message& request, std::string_view method) const;

  // RFC 3261 §8.2.2.2: equal for one request that came by two ways.
  TransactionKey MergeKeyOf(const Message& request) const;

 private:
  const uint64_t secret_high_;
  const uint64_t secret_low_;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSACTION_TRANSACTION_KEY_H_
