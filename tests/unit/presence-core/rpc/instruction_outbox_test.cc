#include "presence-core/rpc/instruction_outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "runtime/random.h"

namespace presence {
namespace {

using testing::ElementsAre;

class InstructionOutboxTest : public testing::Test {
 protected:
  // An instruction of this resource, told apart by its CSeq.
  void Add(uint32_t resource, uint32_t cseq) {
    auto row = std::make_shared<Subscription>();
    row->id = LocalTag::Generate(resource, random);
    Instruction instruction;
    instruction.subscription = std::move(row);
    instruction.cseq = cseq;
    outbox.Add(std::move(instruction));
  }

  std::pair<uint32_t, uint32_t> Take() {
    const Instruction& front = outbox.front();
    const std::pair<uint32_t, uint32_t> taken{front.subscription->id.resource_hash(), front.cseq};
    outbox.pop_front();
    return taken;
  }

  SeededRandom random{1};
  InstructionOutbox outbox;
};

TEST_F(InstructionOutboxTest, OneResourceLeavesInTheOrderItCame) {
  for (uint32_t cseq = 1; cseq <= 100; ++cseq) Add(7, cseq);
  for (uint32_t cseq = 1; cseq <= 100; ++cseq) EXPECT_EQ(Take(), std::pair(7u, cseq));
  EXPECT_TRUE(outbox.empty());
}

TEST_F(InstructionOutboxTest, AQuietResourceWaitsForOneTurnOfABusyOne) {
  for (uint32_t cseq = 1; cseq <= 10'000; ++cseq) Add(7, cseq);
  Add(8, 1);
  for (uint32_t cseq = 1; cseq <= InstructionOutbox::kTurn; ++cseq) EXPECT_EQ(Take().first, 7u);
  EXPECT_EQ(Take(), std::pair(8u, 1u));
  EXPECT_EQ(Take(), std::pair(7u, uint32_t{InstructionOutbox::kTurn + 1}));
}

TEST_F(InstructionOutboxTest, ThoseOfAResourceStayInOrderWhateverComesBetween) {
  std::vector<uint32_t> of_seven;
  uint32_t added = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 5; ++i) Add(7, ++added);
    Add(8, 1);
    for (int i = 0; i < 3; ++i) {
      if (const auto [resource, cseq] = Take(); resource == 7) of_seven.push_back(cseq);
    }
  }
  while (!outbox.empty()) {
    if (const auto [resource, cseq] = Take(); resource == 7) of_seven.push_back(cseq);
  }
  ASSERT_EQ(of_seven.size(), added);
  for (uint32_t i = 0; i < added; ++i) EXPECT_EQ(of_seven[i], i + 1);
}

}  // namespace
}  // namespace presence
