#ifndef PRESENCE_SIP_GATEWAY_TRANSACTION_SIP_HASH_H_
#define PRESENCE_SIP_GATEWAY_TRANSACTION_SIP_HASH_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sip-gateway/transaction/transaction_key.h"

namespace presence::sip {

// SipHash-2-4 with 128 bits of result (Aumasson, Bernstein): without the key, inputs of equal hash
// cannot be found. The name has nothing to do with SIP. Fields are added with their lengths, so
// that they cannot flow into each other.
class SipHash128 {
 public:
  SipHash128(uint64_t key_low, uint64_t key_high);

  void Add(std::string_view field);
  void AddLowerCase(std::string_view field);
  void Add(uint64_t number) { Word(number); }

  TransactionKey Finish();

  // The bytes alone, without a length: what the published test vectors hash.
  void AddRaw(std::string_view bytes);

 private:
  void Byte(uint8_t byte);
  void Word(uint64_t word);
  void Compress(uint64_t word);
  void Rounds(int count);

  uint64_t v0_, v1_, v2_, v3_;
  uint64_t pending_ = 0;  // bytes that do not make a word yet, the first in the lowest place
  uint64_t size_ = 0;     // bytes so far
};

}  // namespace presence::sip

#endif  // PRESENCE_SIP_GATEWAY_TRANSACTION_SIP_HASH_H_
