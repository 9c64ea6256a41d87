#ifndef PRESENCE_SIP_GATEWAY_TRANSACTION_BRANCH_H_
#define PRESENCE_SIP_GATEWAY_TRANSACTION_BRANCH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/random.h"

namespace presence::sip {

// A Via branch of our own (RFC 3261 §8.1.1.7): the magic cookie and 96 random bits, so that nobody
// who has not seen the request can make up a response to it.
class Branch {
 public:
  Branch() = default;
  static Branch New(Random& random);

  // The branch if `text` looks like one of ours.
  static std::optional<Branch> Parse(std::string_view text);
  // The one in the first Via of a request that has lost its end, as an ICMP error quotes it.
  static std::optional<Branch> FindIn(std::string_view quoted);

  std::string ToString() const;
  // Enough to find it by.
  uint64_t key() const { return key_; }

  friend bool operator==(const Branch&, const Branch&) = default;

 private:
  uint64_t key_ = 0;
  uint32_t rest_ = 0;
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSACTION_BRANCH_H_
