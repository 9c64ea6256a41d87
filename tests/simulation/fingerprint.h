#ifndef PRESENCE_TESTS_SIMULATION_FINGERPRINT_H_
#define PRESENCE_TESTS_SIMULATION_FINGERPRINT_H_

#include <cstdint>
#include <string_view>

namespace presence::simulation {

// A number that two runs share only if they were the same. FNV-1a, which is the same in every
// process; the hashes of abseil and of the standard library need not be.
class Fingerprint {
 public:
  void Add(std::string_view bytes) {
    for (const char c : bytes) AddByte(static_cast<unsigned char>(c));
    AddByte(0xFF);  // which no text has: "ab" and "c" are not "a" and "bc"
  }
  uint64_t value() const { return value_; }

 private:
  void AddByte(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3; }

  uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace presence::simulation

#endif  // PRESENCE_TESTS_SIMULATION_FINGERPRINT_H_
