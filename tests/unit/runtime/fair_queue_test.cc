#include "runtime/fair_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace presence {
namespace {

using Queue = FairQueue<std::string, std::pair<std::string, int>>;

void Add(Queue& queue, const std::string& lane, int number) { queue.Add(lane, {lane, number}); }

std::pair<std::string, int> Take(Queue& queue) {
  const std::pair<std::string, int> taken = queue.front();
  queue.pop_front();
  return taken;
}

TEST(FairQueueTest, ThoseOfOneLaneLeaveInTheOrderTheyCame) {
  Queue queue;
  for (int i = 1; i <= 100; ++i) Add(queue, "busy", i);
  EXPECT_EQ(queue.size(), 100u);

  for (int i = 1; i <= 100; ++i) EXPECT_EQ(Take(queue), std::pair(std::string("busy"), i));
  EXPECT_TRUE(queue.empty());
}

TEST(FairQueueTest, AQuietLaneWaitsForOneTurnOfABusyOne) {
  Queue queue;
  for (int i = 1; i <= 10'000; ++i) Add(queue, "busy", i);
  Add(queue, "quiet", 1);
  const int turn = Queue::kTurn;

  for (int i = 1; i <= turn; ++i) EXPECT_EQ(Take(queue), std::pair(std::string("busy"), i));
  EXPECT_EQ(Take(queue), std::pair(std::string("quiet"), 1));
  EXPECT_EQ(Take(queue), std::pair(std::string("busy"), turn + 1));
}

TEST(FairQueueTest, ThoseOfALaneStayInOrderWhateverComesBetween) {
  Queue queue;
  std::vector<int> of_busy;
  int added = 0;
  const auto take = [&] {
    if (const auto [lane, number] = Take(queue); lane == "busy") of_busy.push_back(number);
  };
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 5; ++i) Add(queue, "busy", ++added);
    Add(queue, "quiet", 1);
    for (int i = 0; i < 3; ++i) take();
  }
  while (!queue.empty()) take();

  ASSERT_EQ(of_busy.size(), static_cast<size_t>(added));
  for (int i = 0; i < added; ++i) EXPECT_EQ(of_busy[static_cast<size_t>(i)], i + 1);
}

TEST(FairQueueTest, LetsGoOfAnItemThatHasLeft) {
  FairQueue<int, std::shared_ptr<int>> queue;
  const auto item = std::make_shared<int>(1);
  queue.Add(7, item);
  queue.Add(7, item);

  queue.pop_front();

  EXPECT_EQ(item.use_count(), 2);
}

// Counts its places in memory, those of items that have left included.
struct Counted {
  Counted() { ++places; }
  Counted(const Counted&) { ++places; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --places; }
  static inline int places = 0;
};

TEST(FairQueueTest, ALaneThatIsNeverEmptyDoesNotGrow) {
  FairQueue<int, Counted> queue;
  for (int i = 0; i < 100; ++i) queue.Add(7, Counted());

  for (int i = 0; i < 10'000; ++i) {
    queue.Add(7, Counted());
    queue.pop_front();
  }

  EXPECT_EQ(queue.size(), 100u);
  EXPECT_LE(Counted::places, 250);
}

}  // namespace
}  // namespace presence
