#ifndef PRESENCE_RUNTIME_FAIR_QUEUE_H_
#define PRESENCE_RUNTIME_FAIR_QUEUE_H_

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace presence {

// Items that wait in lanes, one a key. The lanes take turns, kTurn items at a time: the only item
// of one lane does not wait behind ten thousand of another. Those of one lane leave in the order
// they came. An item that has left is gone from memory at once. Not thread-safe.
template <typename Key, typename Item>
class FairQueue {
 public:
  static constexpr size_t kTurn = 16;

  void Add(const Key& key, Item item) {
    auto [it, is_new] = lanes_.try_emplace(key);
    if (is_new) turns_.push_back(key);
    it->second.waiting.push_back(std::move(item));
    ++size_;
  }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  // The next to leave. Only while not empty; Add() ends the reference.
  Item& front() {
    Lane& lane = lanes_.find(turns_.front())->second;
    return lane.waiting[lane.next];
  }

  void pop_front() {
    const auto it = lanes_.find(turns_.front());
    Lane& lane = it->second;
    lane.waiting[lane.next++] = Item();  // it may be the last share of something big
    --size_;
    const bool is_empty = lane.next == lane.waiting.size();
    if (!is_empty && ++taken_this_turn_ < kTurn) return;
    taken_this_turn_ = 0;
    if (is_empty) {
      lanes_.erase(it);
    } else {
      lane.DropTaken();
      turns_.push_back(turns_.front());
    }
    turns_.pop_front();
  }

 private:
  struct Lane {
    std::vector<Item> waiting;
    size_t next = 0;

    // A lane that is never empty must not grow; each item is moved once at most, on average.
    void DropTaken() {
      if (2 * next < waiting.size()) return;
      waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(next));
      next = 0;
    }
  };

  absl::flat_hash_map<Key, Lane> lanes_;
  std::deque<Key> turns_;  // each lane once, the one whose turn it is first
  size_t taken_this_turn_ = 0;
  size_t size_ = 0;
};

}  // namespace presence

#endif  // PRESENCE_RUNTIME_FAIR_QUEUE_H_
