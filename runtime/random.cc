#include "runtime/random.h"

#include <openssl/rand.h>

#include <cstdlib>
#include <cstring>

namespace presence {

std::string RandomHex(Random& random, int bits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(static_cast<size_t>(bits / 4), '0');
  uint64_t pool = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    if (i % 16 == 0) pool = random.Next64();
    out[i] = kDigits[pool & 15];
    pool >>= 4;
  }
  return out;
}

uint64_t SecureRandom::Next64() {
  // One call to OpenSSL costs more than the bits it yields: take them by the block.
  thread_local unsigned char block[512];
  thread_local size_t used = sizeof(block);
  if (used + sizeof(uint64_t) > sizeof(block)) {
    // Without randomness every tag is guessable; there is no safe way to go on.
    if (RAND_bytes(block, sizeof(block)) != 1) std::abort();
    used = 0;
  }
  uint64_t value = 0;
  std::memcpy(&value, block + used, sizeof(value));
  std::memset(block + used, 0, sizeof(value));
  used += sizeof(value);
  return value;
}

uint64_t SeededRandom::Next64() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace presence
