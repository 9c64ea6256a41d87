#include "runtime/random.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace presence {
namespace {

TEST(SeededRandomTest, RepeatsItselfForASeed) {
  SeededRandom one(7);
  SeededRandom same(7);
  SeededRandom other(8);

  const uint64_t first = one.Next64();
  EXPECT_EQ(first, same.Next64());
  EXPECT_NE(first, other.Next64());
}

TEST(SeededRandomTest, IsSplitMix64OnEveryMachine) {
  SeededRandom random(1234567);

  EXPECT_EQ(random.Next64(), 6457827717110365317ULL);
  EXPECT_EQ(random.Next64(), 3203168211198807973ULL);
  EXPECT_EQ(random.Next64(), 9817491932198370423ULL);
}

TEST(SeededRandomTest, StaysBelowItsBoundAndReachesAllOfIt) {
  SeededRandom random(1);
  std::set<uint64_t> seen;

  for (int i = 0; i < 1'000; ++i) seen.insert(random.Below(10));

  EXPECT_EQ(seen.size(), 10u);
  EXPECT_EQ(*seen.rbegin(), 9u);
}

TEST(SeededRandomTest, GivesAChanceItsShare) {
  SeededRandom random(1);
  int hits = 0;

  for (int i = 0; i < 10'000; ++i) hits += random.Chance(20) ? 1 : 0;

  EXPECT_NEAR(hits, 2'000, 200);
  EXPECT_FALSE(random.Chance(0));
  EXPECT_TRUE(random.Chance(100));
}

TEST(SecureRandomTest, DoesNotRepeatItselfAcrossItsBlocks) {
  SecureRandom random;
  std::set<uint64_t> seen;

  for (int i = 0; i < 10'000; ++i) seen.insert(random.Next64());

  EXPECT_EQ(seen.size(), 10'000u);
}

TEST(SecureRandomTest, UsesAllItsBits) {
  SecureRandom random;
  uint64_t ones = 0;
  uint64_t zeros = 0;

  for (int i = 0; i < 200; ++i) {
    const uint64_t value = random.Next64();
    ones |= value;
    zeros |= ~value;
  }

  EXPECT_EQ(std::popcount(ones), 64);
  EXPECT_EQ(std::popcount(zeros), 64);
}

TEST(SecureRandomTest, GivesEveryThreadItsOwn) {
  SecureRandom random;
  std::vector<std::vector<uint64_t>> values(4);
  std::vector<std::thread> threads;
  for (auto& mine : values) {
    threads.emplace_back([&random, &mine] {
      for (int i = 0; i < 1'000; ++i) mine.push_back(random.Next64());
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::set<uint64_t> seen;
  for (const auto& mine : values) seen.insert(mine.begin(), mine.end());
  EXPECT_EQ(seen.size(), 4'000u);
}

TEST(RandomHexTest, HasADigitForEveryFourBits) {
  SeededRandom random(1);
  for (const int bits : {4, 60, 64, 68, 96, 128, 256}) {
    const std::string hex = RandomHex(random, bits);
    EXPECT_EQ(hex.size(), static_cast<size_t>(bits / 4));
    EXPECT_EQ(hex.find_first_not_of("0123456789abcdef"), std::string::npos);
  }
}

TEST(RandomHexTest, TakesNewBitsForEverySixteenDigits) {
  SeededRandom random(1);

  const std::string hex = RandomHex(random, 128);

  EXPECT_NE(hex.substr(0, 16), hex.substr(16));
}

}  // namespace
}  // namespace presence
