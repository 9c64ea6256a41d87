#include "sip-gateway/transaction/answer_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "runtime/random.h"

namespace presence::sip {
namespace {

constexpr absl::Duration kTimerJ = absl::Seconds(32);

TransactionKey Key(uint64_t n) { return {.high = n * 0x9e3779b97f4a7c15ULL, .low = n << 7 ^ n}; }

StoredAnswer AnswerOf(uint16_t status) {
  StoredAnswer answer;
  answer.status = status;
  return answer;
}

class AnswerCacheTest : public testing::Test {
 protected:
  const absl::Time start_ = absl::FromUnixSeconds(1'700'000'000);
  AnswerCache cache_{start_, kTimerJ, 100};
};

TEST_F(AnswerCacheTest, GivesBackEveryFactOfAnAnswer) {
  StoredAnswer answer = AnswerOf(200);
  answer.detail = 7;
  answer.seconds = 4'000'000'000;
  ASSERT_TRUE(answer.SetTags("0123456789abcdef0123456789abcdef", "etag-24-characters-long."));

  cache_.Put(Key(1), answer, start_);

  const StoredAnswer* found = cache_.Find(Key(1));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->status, 200);
  EXPECT_EQ(found->detail, 7);
  EXPECT_EQ(found->seconds, 4'000'000'000);
  EXPECT_EQ(found->to_tag(), "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(found->etag(), "etag-24-characters-long.");
}

TEST_F(AnswerCacheTest, FindsNothingUnderAnotherKey) {
  cache_.Put(Key(1), AnswerOf(200), start_);

  EXPECT_EQ(cache_.Find(Key(2)), nullptr);
  EXPECT_EQ(cache_.Find({.high = Key(1).high + 1, .low = Key(1).low}), nullptr);
}

TEST_F(AnswerCacheTest, KeepsAnAnswerForTimerJAndNoLonger) {
  cache_.Put(Key(1), AnswerOf(200), start_);

  EXPECT_EQ(cache_.Expire(start_ + kTimerJ - absl::Milliseconds(1)), start_ + kTimerJ);
  EXPECT_NE(cache_.Find(Key(1)), nullptr);

  EXPECT_EQ(cache_.Expire(start_ + kTimerJ), absl::InfiniteFuture());
  EXPECT_EQ(cache_.Find(Key(1)), nullptr);
}

TEST_F(AnswerCacheTest, KeepsTheFirstAnswerOfARequest) {
  cache_.Put(Key(1), AnswerOf(200), start_);
  cache_.Put(Key(1), AnswerOf(500), start_);

  EXPECT_EQ(cache_.Find(Key(1))->status, 200);
  EXPECT_EQ(cache_.size(), 1u);
}

TEST_F(AnswerCacheTest, LetsTheOldestGoWhenItIsFull) {
  for (uint64_t i = 0; i < 101; ++i) cache_.Put(Key(i), AnswerOf(200), start_);

  EXPECT_EQ(cache_.size(), 100u);
  EXPECT_EQ(cache_.evicted(), 1u);
  EXPECT_EQ(cache_.Find(Key(0)), nullptr);
  EXPECT_NE(cache_.Find(Key(1)), nullptr);
  EXPECT_NE(cache_.Find(Key(100)), nullptr);
}

TEST_F(AnswerCacheTest, DoesNotTakeTagsLongerThanItHasRoomFor) {
  StoredAnswer answer;
  ASSERT_TRUE(answer.SetTags("tag", "etag"));

  EXPECT_FALSE(answer.SetTags(std::string(StoredAnswer::kTagBytes, 'x'), "y"));

  EXPECT_EQ(answer.to_tag(), "tag");
  EXPECT_EQ(answer.etag(), "etag");
  EXPECT_TRUE(answer.SetTags(std::string(StoredAnswer::kTagBytes, 'x'), ""));
}

TEST_F(AnswerCacheTest, ExpiresRightAlsoWhenItsMillisecondsWrapAround) {
  // 2^32 ms are 49.7 days.
  const absl::Time late = start_ + absl::Milliseconds(int64_t{1} << 32) - absl::Seconds(1);
  cache_.Put(Key(1), AnswerOf(200), late);

  cache_.Expire(late + absl::Seconds(31));
  EXPECT_NE(cache_.Find(Key(1)), nullptr);

  cache_.Expire(late + absl::Seconds(32));
  EXPECT_EQ(cache_.Find(Key(1)), nullptr);
}

// Random puts and steps of time against an ordered map that forgets nothing by itself.
TEST(AnswerCacheModelTest, AgreesWithASimpleModel) {
  SeededRandom random(7);
  const absl::Time start = absl::FromUnixSeconds(1'700'000'000);
  absl::Time now = start;
  AnswerCache cache(start, kTimerJ, 1'000'000);
  std::map<uint64_t, absl::Time> model;

  for (int step = 0; step < 20'000; ++step) {
    now += absl::Milliseconds(static_cast<int64_t>(random.Below(50)));
    cache.Expire(now);
    std::erase_if(model, [&](const auto& entry) { return entry.second + kTimerJ <= now; });
    const uint64_t n = random.Below(5'000);
    if (random.Chance(50)) {
      cache.Put(Key(n), AnswerOf(200), now);
      model.emplace(n, now);
    }
    ASSERT_EQ(cache.Find(Key(n)) != nullptr, model.contains(n)) << step;
    ASSERT_EQ(cache.size(), model.size());
  }
}

}  // namespace
}  // namespace presence::sip
