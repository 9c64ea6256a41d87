#ifndef PRESENCE_RUNTIME_RANDOM_H_
#define PRESENCE_RUNTIME_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace presence {

// The only source of chance.
class Random {
 public:
  virtual ~Random() = default;

  // 64 bits that nobody can predict (production) or that a seed decides (simulation).
  virtual uint64_t Next64() = 0;
};

// `bits` random bits as lower-case hexadecimal digits, four bits a digit; `bits` is a multiple
// of 4.
std::string RandomHex(Random& random, int bits);

// The operating system's cryptographic generator, through OpenSSL. Safe to call from any thread.
class SecureRandom final : public Random {
 public:
  uint64_t Next64() override;
};

// SplitMix64: the same seed gives the same sequence on every machine. Not thread-safe, not secret.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t Next64() override;
  // Uniform in [0, bound); bound > 0.
  uint64_t Below(uint64_t bound) { return Next64() % bound; }
  // True in `percent` of 100 calls.
  bool Chance(uint64_t percent) { return Below(100) < percent; }

 private:
  uint64_t state_;
};

}  // namespace presence

#endif  // PRESENCE_RUNTIME_RANDOM_H_
