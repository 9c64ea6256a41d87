#ifndef PRESENCE_CORE_RPC_INSTRUCTION_OUTBOX_H_
#define PRESENCE_CORE_RPC_INSTRUCTION_OUTBOX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "presence-core/engine/watcher_link.h"

namespace presence {

// Instructions that wait for room in a frame. Resources take turns, kTurn instructions at a time:
// the one watcher of a quiet presentity does not wait behind ten thousand of a busy one. Those of
// one resource, and so of one dialog, leave in the order they came. Not thread-safe.
class InstructionOutbox {
 public:
  static constexpr size_t kTurn = 16;

  void Add(Instruction instruction);

  bool empty() const { return turns_.empty(); }
  // The next to leave. Only while not empty.
  const Instruction& front() const;
  void pop_front();

 private:
  struct Lane {
    std::vector<Instruction> waiting;
    size_t next = 0;
  };

  // By the hash of the resource, which every dialog's tag carries; two that share one share turns.
  absl::flat_hash_map<uint32_t, Lane> lanes_;
  std::deque<uint32_t> turns_;  // each lane once, the one whose turn it is first
  size_t taken_this_turn_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_CORE_RPC_INSTRUCTION_OUTBOX_H_
