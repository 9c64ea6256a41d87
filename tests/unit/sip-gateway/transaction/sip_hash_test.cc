#include "sip-gateway/transaction/sip_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace presence::sip {
namespace {

// Key 00..0f of the reference implementation.
SipHash128 ReferenceHash() { return SipHash128(0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL); }

std::string CountingBytes(size_t count) {
  std::string bytes;
  for (size_t i = 0; i < count; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

TEST(SipHashTest, AgreesWithThePublishedVectorOfNoInput) {
  const TransactionKey key = ReferenceHash().Finish();

  EXPECT_EQ(key.low, 0xe6a825ba047f81a3ULL);
  EXPECT_EQ(key.high, 0x930255c71472f66dULL);
}

TEST(SipHashTest, AgreesWithThePublishedVectorOfFifteenBytes) {
  SipHash128 hash = ReferenceHash();

  hash.AddRaw(CountingBytes(15));

  const TransactionKey key = hash.Finish();
  EXPECT_EQ(key.low, 0x11a8b03399e99354ULL);
  EXPECT_EQ(key.high, 0xd9c3cf970fec087eULL);
}

TEST(SipHashTest, DoesNotDependOnHowTheBytesAreCut) {
  const std::string bytes = CountingBytes(67);
  SipHash128 whole = ReferenceHash();
  whole.AddRaw(bytes);
  const TransactionKey expected = whole.Finish();

  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    SipHash128 parts = ReferenceHash();
    parts.AddRaw(std::string_view(bytes).substr(0, cut));
    parts.AddRaw(std::string_view(bytes).substr(cut));
    EXPECT_EQ(parts.Finish(), expected) << cut;
  }
}

TEST(SipHashTest, DoesNotLetFieldsFlowIntoEachOther) {
  SipHash128 one = ReferenceHash();
  one.Add("ab");
  one.Add("c");
  SipHash128 other = ReferenceHash();
  other.Add("a");
  other.Add("bc");

  EXPECT_NE(one.Finish(), other.Finish());
}

TEST(SipHashTest, GivesOtherResultsUnderAnotherKey) {
  EXPECT_NE(SipHash128(1, 2).Finish(), SipHash128(1, 3).Finish());
  EXPECT_NE(SipHash128(1, 2).Finish(), SipHash128(2, 2).Finish());
}

}  // namespace
}  // namespace presence::sip
