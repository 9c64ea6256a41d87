#include "presence-core/rpc/instruction_outbox.h"

#include <utility>

namespace presence {

void InstructionOutbox::Add(Instruction instruction) {
  const uint32_t resource = instruction.subscription->id.resource_hash();
  auto [it, is_new] = lanes_.try_emplace(resource);
  if (is_new) turns_.push_back(resource);
  it->second.waiting.push_back(std::move(instruction));
}

const Instruction& InstructionOutbox::front() const {
  const Lane& lane = lanes_.find(turns_.front())->second;
  return lane.waiting[lane.next];
}

void InstructionOutbox::pop_front() {
  const auto it = lanes_.find(turns_.front());
  Lane& lane = it->second;
  lane.waiting[lane.next++] = Instruction();  // its document may be the last share of a big one
  const bool is_empty = lane.next == lane.waiting.size();
  if (!is_empty && ++taken_this_turn_ < kTurn) return;
  taken_this_turn_ = 0;
  if (is_empty) {
    lanes_.erase(it);
  } else {
    turns_.push_back(turns_.front());
  }
  turns_.pop_front();
}

}  // namespace presence
