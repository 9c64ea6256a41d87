#include "sip-gateway/transaction/sip_hash.h"

#include <bit>
#include <cstring>

#include "absl/strings/ascii.h"

namespace presence::sip {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

}  // namespace

SipHash128::SipHash128(uint64_t key_low, uint64_t key_high)
    : v0_(key_low ^ 0x736f6d6570736575ULL),
      v1_(key_high ^ 0x646f72616e646f6dULL ^ 0xee),
      v2_(key_low ^ 0x6c7967656e657261ULL),
      v3_(key_high ^ 0x7465646279746573ULL) {}

void SipHash128::Rounds(int count) {
  for (int i = 0; i < count; ++i) {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }
}

void SipHash128::Compress(uint64_t word) {
  v3_ ^= word;
  Rounds(2);
  v0_ ^= word;
}

void SipHash128::Byte(uint8_t byte) {
  pending_ |= uint64_t{byte} << (8 * (size_ % 8));
  if (++size_ % 8 == 0) {
    Compress(pending_);
    pending_ = 0;
  }
}

void SipHash128::Word(uint64_t word) {
  char bytes[sizeof(word)];
  std::memcpy(bytes, &word, sizeof(word));
  AddRaw({bytes, sizeof(bytes)});
}

void SipHash128::AddRaw(std::string_view bytes) {
  const size_t filled = size_ % 8;
  while (bytes.size() >= 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    bytes.remove_prefix(8);
    size_ += 8;
    if (filled == 0) {
      Compress(word);
    } else {
      Compress(pending_ | word << (8 * filled));
      pending_ = word >> (64 - 8 * filled);
    }
  }
  for (const char c : bytes) Byte(static_cast<uint8_t>(c));
}

void SipHash128::Add(std::string_view field) {
  Word(field.size());
  AddRaw(field);
}

void SipHash128::AddLowerCase(std::string_view field) {
  Word(field.size());
  for (const char c : field) Byte(static_cast<uint8_t>(absl::ascii_tolower(c)));
}

TransactionKey SipHash128::Finish() {
  Compress(pending_ | size_ << 56);
  v2_ ^= 0xee;
  Rounds(4);
  TransactionKey key;
  key.low = v0_ ^ v1_ ^ v2_ ^ v3_;
  v1_ ^= 0xdd;
  Rounds(4);
  key.high = v0_ ^ v1_ ^ v2_ ^ v3_;
  return key;
}

}  // namespace presence::sip
