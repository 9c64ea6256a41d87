#include <utility>

#include "presence-core/engine/notifier.h"

namespace presence {

size_t Notifier::VisitStarved(Stripe& stripe, Cell& cell, size_t most, absl::Time now,
                              Slice& slice) {
  NotifyState& notify = cell.notify;
  size_t count = 0;
  while (count < most && !notify.open.empty()) {
    ++count;
    auto it = notify.starved.find(notify.open.front());
    if (it == notify.starved.end() || it->second.is_remembered || it->second.ordinals.empty()) {
      // Its credit is used up, or nobody is left in it.
      if (it != notify.starved.end()) {
        it->second.is_open = false;
        if (!it->second.is_remembered) notify.starved.erase(it);
      }
      notify.open.pop_front();
      continue;
    }
    StarvedLine& line = it->second;
    auto next = line.ordinals.lower_bound(line.cursor);
    if (next == line.ordinals.end()) next = line.ordinals.begin();
    const uint64_t ordinal = *next;
    line.cursor = ordinal + 1;
    line.ordinals.erase(next);
    notify.slots.at(ordinal).is_starved = false;
    VisitOrdinal(stripe, cell, ordinal, now, slice);
  }
  return count;
}

void Notifier::Starve(Cell& cell, const Subscription& row, NotifySlot& slot, LinkTable::Line name) {
  if (slot.is_starved && slot.line != name) Unstarve(cell, row.ordinal, slot);
  StarvedLine& line = cell.notify.starved[name];
  line.is_remembered = true;
  line.is_lasting = !row.is_native();
  if (slot.is_ready) return;
  line.ordinals.insert(row.ordinal);
  slot.line = name;
  slot.is_starved = true;
}

void Notifier::Unstarve(Cell& cell, uint64_t ordinal, NotifySlot& slot) {
  if (!std::exchange(slot.is_starved, false)) return;
  auto line = cell.notify.starved.find(slot.line);
  line->second.ordinals.erase(ordinal);
  // That of a gateway stays while the link table remembers it, or it would be remembered twice.
  if (line->second.ordinals.empty() && !line->second.is_lasting) cell.notify.starved.erase(line);
}

bool Notifier::OnCredit(Stripe& stripe, Cell& cell, LinkTable::Line name) {
  ++stripe.rows_this_hold;
  auto it = cell.notify.starved.find(name);
  if (it == cell.notify.starved.end()) return false;
  StarvedLine& line = it->second;
  line.is_remembered = false;
  if (line.ordinals.empty()) {
    if (!line.is_open) cell.notify.starved.erase(it);
    return false;
  }
  if (!std::exchange(line.is_open, true)) cell.notify.open.push_back(name);
  Enqueue(stripe, cell);
  return true;
}

}  // namespace presence
