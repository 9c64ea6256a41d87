#include <algorithm>
#include <utility>

#include "presence-core/engine/notifier.h"

namespace presence {

void Notifier::ReportWatchers(Stripe& /*stripe*/, Cell& cell, const Effects::Due& due) {
  WinfoState* winfo = cell.notify.winfo.get();
  if (winfo == nullptr || (due.winfo.empty() && !due.is_winfo_reset)) return;
  for (const WinfoEntry& entry : due.winfo) winfo->log.Add(entry);
  if (due.is_winfo_reset) winfo->log.Reset();
  winfo->sweep_left = winfo->dialogs.size();
}

size_t Notifier::VisitWinfo(Stripe& stripe, Cell& cell, size_t most, absl::Time now, Slice& slice) {
  WinfoState* winfo = cell.notify.winfo.get();
  if (winfo == nullptr) return 0;
  size_t count = 0;
  for (; count < most && winfo->sweep_left > 0; ++count, --winfo->sweep_left) {
    auto dialog = winfo->dialogs.lower_bound(winfo->cursor);
    if (dialog == winfo->dialogs.end()) dialog = winfo->dialogs.begin();
    winfo->cursor = *dialog + 1;
    VisitOrdinal(stripe, cell, *dialog, now, slice);
  }
  return count;
}

WinfoDocument Notifier::BeginWinfo(const Cell& cell, WinfoProgress& progress, absl::Time now) {
  const WinfoLog& log = cell.notify.winfo->log;
  if (std::exchange(progress.has_gap, false) || progress.position.told < log.forgotten()) {
    progress.needs_full = true;
  }
  WinfoDocument document;
  document.resource = cell.resource.key();
  document.version = progress.version++;
  document.is_full = std::exchange(progress.needs_full, false);
  document.now = now;
  // A full state says all that has changed so far.
  if (document.is_full) progress.position = {WinfoPosition::Part::kSubscriptions, 0, log.last()};
  return document;
}

void Notifier::TrimLog(Stripe& stripe, Cell& cell) {
  WinfoState& winfo = *cell.notify.winfo;
  // With so many the log keeps what it keeps.
  constexpr size_t kFew = 16;
  if (winfo.dialogs.size() > kFew) return;
  uint64_t told = UINT64_MAX;
  for (uint64_t ordinal : winfo.dialogs) {
    told = std::min(told, cell.notify.slots.at(ordinal).winfo->position.told);
  }
  stripe.rows_this_hold += winfo.dialogs.size() + winfo.log.Trim(told);
}

WinfoProgress* Notifier::ProgressOf(Cell& cell, const Instruction& instruction) {
  auto slot = cell.notify.slots.find(instruction.subscription->ordinal);
  if (slot == cell.notify.slots.end() || slot->second.cseq != instruction.cseq) return nullptr;
  return slot->second.winfo.get();
}

bool Notifier::TakeWinfo(Stripe& stripe, Cell& cell, const Instruction& instruction, size_t most,
                         absl::Time now, std::vector<WinfoItem>& items) {
  WinfoProgress* progress = ProgressOf(cell, instruction);
  if (progress == nullptr) return true;
  const WinfoLog& log = cell.notify.winfo->log;
  const bool is_full = progress->position.part != WinfoPosition::Part::kChanges;
  stripe.rows_this_hold += ReadWinfo(cell.resource, &log, now, most, progress->position, items);
  // What has changed since comes in a document of its own.
  if (is_full && progress->position.part == WinfoPosition::Part::kChanges) return true;
  return !is_full && progress->position.told == log.last();
}

void Notifier::ReturnWinfo(Stripe& stripe, Cell& cell, const Instruction& instruction,
                           const WinfoPosition& position) {
  ++stripe.rows_this_hold;
  WinfoProgress* progress = ProgressOf(cell, instruction);
  if (progress == nullptr) return;
  progress->position = position;
}

}  // namespace presence
