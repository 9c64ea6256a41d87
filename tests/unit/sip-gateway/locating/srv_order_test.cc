#include "sip-gateway/locating/srv_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace presence::sip {
namespace {

using ::testing::ElementsAre;

SrvRecord Server(uint16_t priority, uint16_t weight, std::string host) {
  return {priority, weight, 5060, std::move(host)};
}

std::vector<std::string> Hosts(const std::vector<SrvRecord>& records) {
  std::vector<std::string> hosts;
  for (const SrvRecord& record : records) hosts.push_back(record.host);
  return hosts;
}

// How often each host came first in `draws` orderings.
std::map<std::string, int> CountFirst(const std::vector<SrvRecord>& records, int draws) {
  SeededRandom random(2782);
  std::map<std::string, int> first;
  for (int i = 0; i < draws; ++i) ++first[OrderSrv(records, random).front().host];
  return first;
}

TEST(SrvOrderTest, PutsLowerPriorityNumbersFirstWhateverTheWeights) {
  SeededRandom random(1);

  const auto ordered = OrderSrv(
      {Server(20, 60000, "c"), Server(5, 0, "a"), Server(10, 1, "b"), Server(30, 9, "d")}, random);

  EXPECT_THAT(Hosts(ordered), ElementsAre("a", "b", "c", "d"));
}

TEST(SrvOrderTest, SpreadsTheFirstTryByWeight) {
  constexpr int kDraws = 30'000;

  auto first =
      CountFirst({Server(1, 60, "big"), Server(1, 30, "mid"), Server(1, 10, "small")}, kDraws);

  // RFC 2782 draws from [0, sum] with both ends, so shares are those of the weights to about 1 in
  // 100; four standard deviations of such a sample are another 1.2 in 100.
  EXPECT_NEAR(first["big"] / double{kDraws}, 0.60, 0.025);
  EXPECT_NEAR(first["mid"] / double{kDraws}, 0.30, 0.025);
  EXPECT_NEAR(first["small"] / double{kDraws}, 0.10, 0.025);
}

TEST(SrvOrderTest, SpreadsTheSecondTryByWeightToo) {
  SeededRandom random(3);
  std::map<std::string, int> second;
  constexpr int kDraws = 20'000;

  for (int i = 0; i < kDraws; ++i) {
    const auto ordered = OrderSrv(
        {Server(1, 10'000, "a"), Server(2, 1, "z"), Server(1, 10'000, "b"), Server(1, 20'000, "c")},
        random);
    ASSERT_EQ(ordered[3].host, "z");
    if (ordered[0].host == "c") ++second[ordered[1].host];
  }

  EXPECT_NEAR(second["a"] / double(second["a"] + second["b"]), 0.5, 0.03);
}

TEST(SrvOrderTest, GivesWeightZeroASmallChanceAgainstOthers) {
  constexpr int kDraws = 20'000;

  auto first = CountFirst({Server(1, 99, "normal"), Server(1, 0, "rarely")}, kDraws);

  EXPECT_GT(first["rarely"], 0);
  EXPECT_NEAR(first["rarely"] / double{kDraws}, 0.01, 0.004);
}

TEST(SrvOrderTest, SharesEvenlyWhenAllWeightsAreZero) {
  constexpr int kDraws = 30'000;

  auto first = CountFirst({Server(1, 0, "a"), Server(1, 0, "b"), Server(1, 0, "c")}, kDraws);

  for (const char* host : {"a", "b", "c"}) {
    EXPECT_NEAR(first[host] / double{kDraws}, 1.0 / 3, 0.015) << host;
  }
}

TEST(SrvOrderTest, KeepsEveryRecordOnce) {
  SeededRandom random(4);
  std::vector<SrvRecord> records;
  for (int i = 0; i < 50; ++i) {
    records.push_back(Server(static_cast<uint16_t>(i % 4), static_cast<uint16_t>(i % 7 * 10),
                             "host" + std::to_string(i)));
  }

  for (int round = 0; round < 100; ++round) {
    EXPECT_THAT(OrderSrv(records, random), ::testing::UnorderedElementsAreArray(records));
  }
}

TEST(SrvOrderTest, SurvivesNoRecordAndTheLargestWeights) {
  SeededRandom random(5);

  EXPECT_THAT(OrderSrv({}, random), ElementsAre());
  EXPECT_EQ(OrderSrv(std::vector<SrvRecord>(64, Server(65535, 65535, "x")), random).size(), 64u);
}

}  // namespace
}  // namespace presence::sip
