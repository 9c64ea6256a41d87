#include "sip-gateway/locating/srv_order.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>

namespace presence::sip {
namespace {

using Records = std::vector<SrvRecord>;

uint64_t Below(Random& random, uint64_t bound) { return random.Next64() % bound; }

// Swaps to `first` the record to try next among [first, last), all of one priority.
void DrawNext(Records::iterator first, Records::iterator last, Random& random) {
  // RFC 2782, "Usage rules": records of weight 0 stand first, so that a draw of 0 can pick them; of
  // several any, else the same one of them would always come first.
  const auto weighted = std::partition(first, last, [](const SrvRecord& r) { return !r.weight; });
  if (weighted - first > 1) {
    std::iter_swap(first, first + Below(random, static_cast<uint64_t>(weighted - first)));
  }
  uint64_t sum = 0;
  for (auto it = weighted; it != last; ++it) sum += it->weight;
  const uint64_t drawn = Below(random, sum + 1);
  uint64_t running = 0;
  for (auto it = first; it != last; ++it) {
    running += it->weight;
    if (running >= drawn) {
      std::iter_swap(first, it);
      return;
    }
  }
}

}  // namespace

std::vector<SrvRecord> OrderSrv(Records records, Random& random) {
  std::ranges::stable_sort(records, {}, &SrvRecord::priority);
  for (auto first = records.begin(); first != records.end();) {
    const auto last = std::find_if(
        first, records.end(), [&](const SrvRecord& r) { return r.priority != first->priority; });
    for (; first != last; ++first) {
      if (last - first > 1) DrawNext(first, last, random);
    }
  }
  return records;
}

}  // namespace presence::sip
